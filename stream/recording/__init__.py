"""Recorded events: files of JSON lines, or the records of topics, read in order of event time."""
