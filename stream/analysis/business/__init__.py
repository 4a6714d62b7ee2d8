"""The business report: customers won, grown and kept, value against cost, and why customers leave."""
