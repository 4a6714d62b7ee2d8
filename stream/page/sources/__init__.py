"""Where the rows of the read store come from."""
