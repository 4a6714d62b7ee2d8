"""Churn risk: the probability that a customer buys nothing within their own horizon, and when silence
raises it.
"""
