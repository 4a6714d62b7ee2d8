"""Settings: what can be set, what is allowed, and reading them from the environment."""
