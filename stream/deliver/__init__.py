"""`stream deliver`: alerts of the alerts topic are handed over to other programs as signed webhooks.

Durable first: the alert's rows in the queue and the offset of its record are one SQL transaction; everything
else comes after. Each alert has exactly one outcome per endpoint (`plan/outcome.py`).
"""
