"""The Faust plug-in: batched delivery, batched table, durable commits. Knows nothing of customers."""
