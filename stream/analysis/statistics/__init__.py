"""Statistics: how good a score is, and exact comparison of matched groups."""
