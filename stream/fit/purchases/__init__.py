"""Fits of how customers buy: purchase process, spend, retention, ranks in the population, value tables."""
