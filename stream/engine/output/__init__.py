"""Output: flushing changed rows and alerts, producing them, and committing input offsets after they
are durable.
"""
