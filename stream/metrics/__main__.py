"""`python -m stream.metrics > docs/metrics.md`."""

from stream.metrics.page import metrics_page

print(metrics_page(), end="")
