"""Backtests: would the alerts of a policy have been right? Learn up to a day, run on, compare."""
