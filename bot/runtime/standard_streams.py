"""Standard input, output and error, which may be closed where the desk is started.

The next file that is opened would get their number: the database's, for one, with the log in it.
"""

from __future__ import annotations

import os
import sys


def ensure_standard_streams() -> None:
    """Put /dev/null where one is closed. To be done before anything is opened."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    if sys.stderr is None:  # so Python leaves it where it was closed
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - as long as the process
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
