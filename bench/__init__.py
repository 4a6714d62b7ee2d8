"""Measures the engine and the core beside the engines they are compared with. `python -m bench --help`."""
