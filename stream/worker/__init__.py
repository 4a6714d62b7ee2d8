"""The live worker: it reads events from Kafka, keeps the profiles (processor.py) and sends alerts."""
