"""Package data: the default model."""
