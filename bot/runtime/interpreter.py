"""Tunes the interpreter for a long-running process that serves people from two threads."""

from __future__ import annotations

import gc
import sys

SWITCH_S = 0.0001  # Python's default is 5 ms


def tune() -> None:
    """Called once, after start-up.

    Objects loaded at start-up live as long as the process, and a full garbage collection that
    visits them all would delay every turn by more than ten milliseconds: they are excluded from
    collection. The short switch interval keeps the event loop from waiting for the writer thread
    longer than a turn takes.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_S)
