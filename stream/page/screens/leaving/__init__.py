"""Who may leave now, and why, by value tier."""
