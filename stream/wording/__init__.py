"""What the system knows, in words for people who were never told its formulas; nothing here decides."""
