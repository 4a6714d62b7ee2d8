"""Customer value: purchase process, lifetime value with its interval, and RFM scores."""
