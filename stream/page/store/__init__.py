"""The read store: rows of customers, open alerts and alerts sent, in SQLite or PostgreSQL."""
