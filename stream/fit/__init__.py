"""Population models from history; publishes a versioned model record."""
