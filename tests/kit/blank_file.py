"""Databases that are there before they are opened."""

from __future__ import annotations

from pathlib import Path

from bot.database import simulated_databases


def blank_file(path: Path) -> Path:
    """``path``, with a blank database unless one is there. To open what is not there yet creates
    every table, which takes longer than most tests."""
    if not path.exists():
        simulated_databases.create_blank(path)
    return path
