"""Churn risk of one customer at one instant, its explanation, and the instant at which silence raises it."""
