"""Tunes the interpreter for a long-running process that serves people from two threads."""

from __future__ import annotations

import gc
import sys


def tune(*, gc_freeze: bool, switch_interval_s: float) -> None:
    """Called once, after start-up.

    ``gc_freeze``: objects loaded at start-up live as long as the process, and a full garbage
    collection that visits them all would delay every turn by more than ten milliseconds; they are
    excluded from collection. ``switch_interval_s``: a short one keeps the event loop from waiting
    for the writer thread longer than a turn takes.
    """
    if gc_freeze:
        gc.collect()
        gc.freeze()
    sys.setswitchinterval(switch_interval_s)
