"""Importing: public data sets, a generated shop, or files of your own become events."""
