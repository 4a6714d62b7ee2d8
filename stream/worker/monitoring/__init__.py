"""What operators see of a worker: health checks, metrics, log lines."""
