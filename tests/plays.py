"""How tests play conversation scripts: on each channel, or with a restart after every line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from zlib import crc32

import pytest

from bot.scripts import report
from bot.scripts.head import ScriptHead
from bot.scripts.parse import load
from bot.scripts.player import LineFailed, Player
from bot.scripts.source_line import ScriptError
from bot.scripts.stage import CHATS
from bot.simulation.stage import SimulatedStage
from bot.turns.sessions import SessionCache
from flows.engine.session import Session
from storage.transaction import StoreTx
from tests.kit.copied_database import copied_home

FOLDER = Path(__file__).parent / "conversations"
RAM_DISK = Path("/dev/shm")


@pytest.fixture(autouse=True)
def databases_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Syncing commits to disk, a thousand for a day's play, would take half the time."""
    if RAM_DISK.is_dir():
        monkeypatch.setattr(tempfile, "tempdir", str(RAM_DISK))


@pytest.fixture(autouse=True)
def kept_as_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that no cached conversation was changed after it was saved."""
    load = SessionCache.load

    def compared(kept: SessionCache, tx: StoreTx, channel: str, address: str) -> Session:
        at_hand = kept._cached.get((channel, address))
        if at_hand is not None:
            assert Session.load(kept._flows, at_hand.turn, at_hand.body) == at_hand.session
            assert (at_hand.session.turn, at_hand.session.dump()) == (at_hand.turn, at_hand.body)
        return load(kept, tx, channel, address)

    monkeypatch.setattr(SessionCache, "load", compared)


# Test cases, named by the script's path in ``folder``. `hazina talk --restart-after-every-line`
# plays every script with restarts on every channel.


def plays(folder: Path, files: Iterable[Path]) -> list[object]:
    """Each script on each of its channels."""
    return [_case(folder, file, channel) for file in files for channel in _channels(folder, file)]


def one_play_each(folder: Path, files: Iterable[Path]) -> list[object]:
    """Every channel gets its share of the scripts."""
    return [_case(folder, file, _channels(folder, file)[0]) for file in files]


def other_plays(folder: Path, files: Iterable[Path]) -> list[object]:
    """Those that ``one_play_each`` leaves out."""
    return [
        _case(folder, file, channel) for file in files for channel in _channels(folder, file)[1:]
    ]


def restarted_plays(folder: Path, files: Iterable[Path]) -> list[object]:
    """As ``one_play_each``, since the restart happens behind the channels; without those that have
    ``restart: no``."""
    return [
        _case(folder, file, _channels(folder, file)[0], "-restarted")
        for file in files
        if (head := _head(file)) is None or head.restart
    ]


def _case(folder: Path, file: Path, channel: str, mark: str = "") -> object:
    return pytest.param(file, channel, id=f"{_name(folder, file)}-{channel}{mark}")


def _name(folder: Path, file: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


def _channels(folder: Path, file: Path) -> Sequence[str]:
    """The first is the one to play on where only one is played."""
    head = _head(file)
    channels = (head.channels if head is not None else ()) or CHATS
    first = crc32(_name(folder, file).encode()) % len(channels)
    return (*channels[first:], *channels[:first])


@cache
def _head(file: Path) -> ScriptHead | None:
    """``None`` where something is wrong with the script: playing it says what."""
    try:
        return load(file).head
    except ScriptError:
        return None


def every_script() -> list[Path]:
    return sorted(FOLDER.rglob("*.chat"))


def stage(channel: str) -> SimulatedStage:
    return SimulatedStage(channel, home=copied_home)


async def play(file: Path, channel: str, *, restarts: bool) -> None:
    try:
        await Player(load(file), stage(channel), restarts=restarts).play()
    except LineFailed as failed:
        pytest.fail(report.failure(failed), pytrace=False)
    except ScriptError as error:
        pytest.fail(str(error), pytrace=False)
