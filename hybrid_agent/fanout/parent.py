"""Child processes that end with the one that started them, however that one dies (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec only what is there already is safe to call.
_libc = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def end_with_parent(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """In a child: have the kernel send this signal when the parent, process `parent`, is gone."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)
