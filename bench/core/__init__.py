"""Where the time of one event goes: decode, fold, judge, row encode; without Kafka and without an engine."""
