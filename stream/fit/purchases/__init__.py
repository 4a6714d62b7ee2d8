"""Fits of how customers buy: purchase process, spend, retention, and where one stands in the population."""
