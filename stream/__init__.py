"""Customer-centric stream processing: one rolling profile per customer, explained alerts out."""

import os

__version__ = "0.1.0"

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""Numpy reads it once, when it is imported. Sums of matrices come out the same to the last digit only with
one number of threads, else that of the cores; and the matrices here are small, so that waiting threads cost
more than they save: all of CDNOW is fitted in 7 s of CPU instead of 28."""
