"""A mapping suggested for a file: columns by their names and by what is in them."""
