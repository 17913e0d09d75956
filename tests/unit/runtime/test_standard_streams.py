"""A file that the program opens never becomes its standard output or standard error."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = (
    "from bot.runtime.standard_streams import ensure_standard_streams\n"
    "import os, sys\n"
    "ensure_standard_streams()\n"
    "print('to whom it may concern', file=sys.stderr, flush=True)\n"
    "print('and to all others', flush=True)\n"
    "sys.exit(0 if os.open(os.devnull, os.O_RDONLY) > 2 else 1)\n"
)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_held_open(closed: str) -> None:
    ended = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, PROGRAM],
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
