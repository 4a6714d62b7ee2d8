"""`stream doctor`: read a cluster once, run every check on that reading, name a remedy for each fault."""
