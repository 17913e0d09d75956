"""``hazina``: check the interpreter's environment, then hand over to the command line.

Python imports the first package it finds, and PYTHONPATH and the current folder come before an
installation. So our packages are imported only after checking that they are ours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

ROOMS = ("bot", "flows", "services", "storage")
OURS = Path(__file__).resolve().parent
FOR_OTHERS = 0o007  # permissions of users who are neither the owner nor in the group


def main() -> None:
    if faults := [*_foreign(), *_without_checks()]:
        print("\n".join(faults), file=sys.stderr)
        sys.exit(2)
    _guard_files()
    _print_anything()
    from bot.cli.main import main as command_line

    command_line()


def _foreign() -> Iterator[str]:
    for room in ROOMS:
        # ``importlib.util.find_spec`` looks at imported modules first; PathFinder only searches.
        found = PathFinder.find_spec(room)
        folders = [] if found is None else list(found.submodule_search_locations or ())
        if OURS / room in [Path(folder).resolve() for folder in folders]:
            continue
        where = ", ".join(folders) or (found and found.origin) or "nowhere"
        yield (
            f"a package {room} that is not Hazina's would be run in its place ({_shown(where)}):"
            " take its folder out of PYTHONPATH, or start in another folder"
        )


def _without_checks() -> Iterator[str]:
    if not __debug__:
        yield (
            "PYTHONOPTIMIZE, or python -O, takes out checks that stand around money: unset it, or"
            " leave -O out"
        )


def _guard_files() -> None:
    """Whatever the umask is, files that the desk writes are closed to other users."""
    os.umask(os.umask(FOR_OTHERS) | FOR_OTHERS)


def _print_anything() -> None:
    """Escape characters that the terminal's encoding lacks, instead of failing on them."""
    if sys.stdout is not None:  # None if the caller closed it
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _shown(path: str) -> str:
    return path.encode("ascii", "backslashreplace").decode()


if __name__ == "__main__":
    main()
