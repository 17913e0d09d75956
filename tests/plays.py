"""How tests play conversation scripts: on each channel, or with a restart after every line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

import pytest

from bot.scripts import report
from bot.scripts.parse import load
from bot.scripts.player import LineFailed, Player
from bot.scripts.source_line import ScriptError
from bot.scripts.stage import CHATS
from bot.simulation.stage import SimulatedStage
from bot.turns.sessions import SessionCache
from flows.engine.session import Session
from storage.transaction import StoreTx
from tests.kit.on_server import test_server

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


def plays(folder: Path, files: Iterable[Path], *, restarted: bool = False) -> list[object]:
    """One test case per script and channel, named by the script's path in ``folder``.

    ``restarted`` leaves out scripts with ``restart: no`` and takes one channel per script: the
    restart happens behind the channels, and every channel gets its share of scripts. `hazina talk
    --restart-after-every-line` plays every script on every channel.
    """
    found: list[object] = []
    for file in files:
        channels: tuple[str, ...] = ()
        try:
            head = load(file).head
        except ScriptError:
            pass  # playing the script reports the error
        else:
            if restarted and not head.restart:
                continue
            channels = head.channels
        name = file.relative_to(folder).with_suffix("").as_posix()
        if restarted:
            share = crc32(name.encode()) % len(channels or CHATS)
            channels = ((channels or CHATS)[share],)
        for channel in channels or CHATS:
            mark = "-restarted" if restarted else ""
            found.append(pytest.param(file, channel, id=f"{name}-{channel}{mark}"))
    return found


def every_script() -> list[Path]:
    return sorted(FOLDER.rglob("*.chat"))


def stage(channel: str) -> SimulatedStage:
    return SimulatedStage(channel, server=test_server())


async def play(file: Path, channel: str, *, restarts: bool) -> None:
    try:
        await Player(load(file), stage(channel), restarts=restarts).play()
    except LineFailed as failed:
        pytest.fail(report.failure(failed), pytrace=False)
    except ScriptError as error:
        pytest.fail(str(error), pytrace=False)
