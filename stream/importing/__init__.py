"""Data from elsewhere becomes events: public data sets, a generated shop, and your own files."""
