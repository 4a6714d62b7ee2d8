"""The queue: what was read and what became of it, in a SQL database, with the offsets of the topic."""
