"""Customer-centric stream processing: one rolling profile per customer, explained alerts out."""

__version__ = "0.1.0"
