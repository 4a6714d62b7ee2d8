"""Analyses of a history of events: fits of recordings, backtests and the business report."""
