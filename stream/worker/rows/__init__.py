"""Rows of the profiles topic: what a row holds, and the model in force of a partition."""
