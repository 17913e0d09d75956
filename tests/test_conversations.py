"""Every conversation script on one of its channels. Tests marked ``scripts`` play it on its other
channels, and with a restart after every line: `make test-scripts`.

A failure prints what ``hazina talk`` would: the file, the line, what was expected and what came.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.simulation.page.story import FOLDER as STORIES
from tests.plays import (
    FOLDER,
    databases_in_memory,
    every_script,
    kept_as_stored,
    one_play_each,
    other_plays,
    play,
    restarted_plays,
)

__all__ = ["databases_in_memory", "kept_as_stored"]  # fixtures

EVERY_STORY = sorted(STORIES.glob("*.chat"))


@pytest.mark.parametrize(
    ("file", "channel"),
    [*one_play_each(FOLDER, every_script()), *one_play_each(STORIES, EVERY_STORY)],
)
async def test_script_holds(file: Path, channel: str) -> None:
    await play(file, channel, restarts=False)


@pytest.mark.scripts
@pytest.mark.parametrize(
    ("file", "channel"),
    [*other_plays(FOLDER, every_script()), *other_plays(STORIES, EVERY_STORY)],
)
async def test_script_holds_on_another_channel(file: Path, channel: str) -> None:
    await play(file, channel, restarts=False)


@pytest.mark.scripts
@pytest.mark.parametrize(
    ("file", "channel"),
    [*restarted_plays(FOLDER, every_script()), *restarted_plays(STORIES, EVERY_STORY)],
)
async def test_script_holds_with_a_restart_after_every_line(file: Path, channel: str) -> None:
    await play(file, channel, restarts=True)
