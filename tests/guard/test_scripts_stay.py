"""Scripts of earlier builds pass on this one, even where their original files have changed."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.plays import FOLDER, databases_in_memory, kept_as_stored, play, plays, restarted_plays

__all__ = ["databases_in_memory", "kept_as_stored"]  # fixtures: the copies play like the originals

GUARD = Path(__file__).parent
COPIES = GUARD / "scripts"


def manifest() -> dict[str, str]:
    """Name of each copy → its SHA-256 when it was copied."""
    lines = (GUARD / "scripts.sha256").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def reworded() -> dict[str, str]:
    """Name of each copy that may differ → the reason."""
    return tomllib.loads((GUARD / "reworded.toml").read_text(encoding="utf-8"))


def names(folder: Path) -> Iterator[str]:
    return (file.relative_to(folder).as_posix() for file in folder.rglob("*.chat"))


@cache
def played_text(file: Path) -> str:
    """All lines that a play of the file consists of, with those of the files it includes."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        word, _, rest = line.partition(" ")
        if word == "include":
            line = played_text((file.parent / rest.partition("  #")[0].strip()).resolve())
        lines.append(line)
    return "\n".join(lines)


@cache
def not_played_elsewhere() -> list[Path]:
    elsewhere = {played_text(file.resolve()) for file in FOLDER.rglob("*.chat")}
    copies = sorted(COPIES.rglob("*.chat"))
    return [copy for copy in copies if played_text(copy.resolve()) not in elsewhere]


def test_no_copy_has_vanished_or_come_unlisted() -> None:
    assert set(names(COPIES)) == set(manifest())


def test_a_copy_that_was_changed_has_a_reason() -> None:
    changed = {
        name
        for name, digest in manifest().items()
        if hashlib.sha256((COPIES / name).read_bytes()).hexdigest() != digest
    }
    assert changed == set(reworded()), "reworded.toml names each changed copy, and no other"
    assert all(reason.strip() for reason in reworded().values())


@pytest.mark.parametrize(("file", "channel"), plays(COPIES, not_played_elsewhere()))
async def test_copy_still_holds(file: Path, channel: str) -> None:
    await play(file, channel, restarts=False)


@pytest.mark.parametrize(("file", "channel"), restarted_plays(COPIES, not_played_elsewhere()))
async def test_copy_still_holds_with_a_restart_after_every_line(file: Path, channel: str) -> None:
    await play(file, channel, restarts=True)
