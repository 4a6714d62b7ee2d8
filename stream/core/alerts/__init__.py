"""Alerts: their structs, how a transition of an episode is worded, its reasons, and what would end it."""
