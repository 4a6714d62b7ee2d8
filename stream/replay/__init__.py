"""Recorded events through the worker's own step, without Kafka: run, summary, policy comparison."""
