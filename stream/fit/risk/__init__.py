"""Fits of churn risk: training set, logistic layer over the purchase process, thresholds of the alerts."""
