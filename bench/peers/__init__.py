"""The programs that are measured, each a process of its own; contract.py says what they are told."""
