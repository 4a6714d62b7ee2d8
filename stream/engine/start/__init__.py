"""Start: where each input partition is read from, and whether the topics are still those that were read."""
