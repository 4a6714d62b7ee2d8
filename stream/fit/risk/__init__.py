"""Fits of churn risk: the logistic layer on top of the purchase process, and the thresholds of its alerts."""
