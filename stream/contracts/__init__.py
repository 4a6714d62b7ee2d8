"""The published contract: schemas/, derived from the structs, and what a change would mean for others."""
