"""`--suggest`: a mapping proposed for a file, from the names and the contents of its columns."""
