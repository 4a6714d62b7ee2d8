"""What history teaches: fits, backtests and reports, put together from the fit and the replay."""
