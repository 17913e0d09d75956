"""Reopens standard streams that were closed when the program was started.

Otherwise the next file opened, such as the database, would get their number, and receive the log.
"""

from __future__ import annotations

import os
import sys


def ensure_standard_streams() -> None:
    """Replace closed streams with /dev/null. Call before any file is opened."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    if sys.stderr is None:  # Python sets it to None if it was closed at start
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - open until exit
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
