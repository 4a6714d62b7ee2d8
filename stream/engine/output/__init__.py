"""Output: when a flush starts, how it becomes durable, and how the input behind it is committed."""
