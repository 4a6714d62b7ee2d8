"""Benchmarks: the worker beside other stream processors, and the core alone. See `python -m bench --help`."""
