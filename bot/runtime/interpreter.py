"""The interpreter, tuned for a process that runs for long and serves people from two threads."""

from __future__ import annotations

import gc
import sys

SWITCH_S = 0.0001  # of Python's own 5 ms


def tune() -> None:
    """Called once, when the program is open.

    What was loaded to start lives as long as the process: a full collection that walks through
    all of it would hold every turn up for more than ten milliseconds, so it is taken out of the
    collector's sight. And the event loop waits for the writer's thread to let go of the
    interpreter no longer than a person's turn takes.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_S)
