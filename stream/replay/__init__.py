"""The offline shell: sources, run, generator: the same step, no Kafka."""
