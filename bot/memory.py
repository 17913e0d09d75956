"""The interpreter's memory, for a process that runs for long."""

from __future__ import annotations

import gc


def settle() -> None:
    """Keep what was loaded to start out of the garbage collector's sight.

    It lives as long as the process, and a full collection that walks through all of it holds
    every turn up for more than ten milliseconds. Called once, when the program is open; what is
    garbage by then is collected first.
    """
    gc.collect()
    gc.freeze()
