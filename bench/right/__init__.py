"""Is the stated risk right? Its error and ranking beside those of who knows nothing, log by log."""
