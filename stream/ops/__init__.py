"""Tools for people who run it: put events in, set dead letters right, ask what is wrong."""
