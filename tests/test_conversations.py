"""Every conversation script on each of its channels, and again with a restart after every line.

A failure prints what ``hazina talk`` would: the file, the line, what was expected and what came.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.simulation.page.story import FOLDER as STORIES
from tests.plays import FOLDER, databases_in_memory, every_script, kept_as_stored, play, plays

__all__ = ["databases_in_memory", "kept_as_stored"]  # fixtures

EVERY_STORY = sorted(STORIES.glob("*.chat"))


@pytest.mark.parametrize(
    ("file", "channel"), [*plays(FOLDER, every_script()), *plays(STORIES, EVERY_STORY)]
)
async def test_script_holds(file: Path, channel: str) -> None:
    await play(file, channel, restarts=False)


@pytest.mark.restarts
@pytest.mark.parametrize(
    ("file", "channel"),
    [
        *plays(FOLDER, every_script(), restarted=True),
        *plays(STORIES, EVERY_STORY, restarted=True),
    ],
)
async def test_script_holds_with_a_restart_after_every_line(file: Path, channel: str) -> None:
    await play(file, channel, restarts=True)
