"""CPU time of one event by part (decode, fold, judge, encode the row), without Kafka or the engine."""
