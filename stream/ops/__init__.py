"""Operators' tools for a running cluster: send events, redrive dead letters, inspect, publish a model."""
