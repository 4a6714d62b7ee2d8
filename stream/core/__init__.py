"""Pure: no I/O, clock, random, logging or Faust. Its whole API is step.py."""
