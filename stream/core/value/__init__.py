"""Customer value: purchase process, lifetime value with its interval, RFM scores, and their numerics."""
