"""The Faust app: topics, agents, dead letters, ticks. Every Kafka name is here."""
