"""The worker's use of Kafka: topics and their settings, connections, dead letters, the embedded broker."""
