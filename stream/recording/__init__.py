"""Recorded events on disk: files of JSON lines, read in order of event time."""
