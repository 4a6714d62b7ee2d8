"""A process that ends with the one that started it, whatever ends that."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

PR_SET_PDEATHSIG = 1
"""`prctl` (Linux): the signal that a process gets when its parent ends."""


def end_with(parent: int, by: int) -> None:
    """Let the kernel send this process the signal `by` when the process `parent` has ended, even by SIGKILL.

    To be called by a new process; it ends at once where `parent` has ended already. On other systems than
    Linux, and with a libc without `prctl`, it does nothing.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, by)
    if os.getppid() != parent:
        os._exit(1)
