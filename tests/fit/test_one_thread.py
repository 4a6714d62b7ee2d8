"""Matrices are computed in one thread, so that a fit has the same digits on a machine of one core or many."""

import os
import subprocess
import sys

THREADS = "OPENBLAS_NUM_THREADS"


def test_numpy_is_told_of_one_thread_before_it_is_imported():
    code = f"import stream, os, sys; assert 'numpy' not in sys.modules; print(os.environ['{THREADS}'])"
    others = {name: value for name, value in os.environ.items() if name != THREADS}

    printed = [
        subprocess.run(
            [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
        ).stdout.strip()
        for environment in (others, {**others, THREADS: "2"})
    ]

    assert printed == ["1", "2"]
