"""The worker's side of Kafka: topics and their settings, connections, dead letters, the embedded broker."""
