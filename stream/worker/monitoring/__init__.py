"""What operators see of a worker: health, metrics, logs."""
