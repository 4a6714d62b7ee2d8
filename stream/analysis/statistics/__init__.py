"""Statistics for the analyses: how good a score is, and exact comparisons of matched groups."""
