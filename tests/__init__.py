"""The tests. Numpy computes in one thread: its matrices are small, and idle threads cost half of the CPU."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read once, when numpy is imported
