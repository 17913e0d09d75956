"""``hazina talk``: plays scripts on each of their channels and reports the results."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.scripts import report
from bot.scripts.parse import load
from bot.scripts.player import LineFailed, Player
from bot.scripts.record import Transcript
from bot.scripts.script import Script
from bot.scripts.source_line import ScriptError, SourceLine
from bot.scripts.stage import CHANNELS, CHATS, StageFactory

HELD, FAILED, UNREADABLE = 0, 1, 2
Print = Callable[[str], None]


async def talk(
    files: Sequence[Path],
    *,
    channel: str | None = None,
    restart: bool = False,
    record: bool = False,
    stage_factory: StageFactory,
    channels: Sequence[str] = CHANNELS,
) -> int:
    """Play all files; returns the highest exit status.

    ``channel`` limits the build's ``channels`` to one; ``record`` prints each play as a script to
    standard output, and everything else to standard error.
    """
    say = _to_stderr if record else print
    if channel is not None and channel not in channels:
        say(f"this build has no {channel} channel")
        return UNREADABLE
    troupe = _Troupe(stage_factory, restart, record, say)
    status = HELD
    for file in _scripts(files):
        try:
            script = load(file)
            for name in _channels(script, channel, channels, say):
                status = max(status, await troupe.play(script, name))
        except ScriptError as error:
            say(str(error))
            status = UNREADABLE
    return status


@dataclass(frozen=True, slots=True)
class _Troupe:
    stage_factory: StageFactory
    restart: bool
    record: bool
    say: Print

    async def play(self, script: Script, channel: str) -> int:
        """One run. Raises ``ScriptError``."""
        stage = self.stage_factory(channel)
        transcript = Transcript(script, channel, stage.sms) if self.record else None
        restarts = self.restart and script.head.restart
        note = " (not restarted: restart: no)" if self.restart and not restarts else ""
        player = Player(script, stage, restarts=restarts, transcript=transcript)
        try:
            await player.play()
        except LineFailed as failed:
            self.say(report.failure(failed))
            return FAILED
        finally:
            if transcript is not None:
                print(transcript, end="")
        self.say(f"{script.file}: holds on {channel}{note}")
        return HELD


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr)


def _scripts(files: Sequence[Path]) -> Iterator[Path]:
    for file in files:
        found = sorted(file.rglob("*.chat")) if file.is_dir() else []
        # A directory without scripts is treated as a file and fails as unreadable.
        yield from found or [file]


def _channels(script: Script, only: str | None, built: Sequence[str], say: Print) -> Iterator[str]:
    """The channels to play on. Raises ``ScriptError`` if the build has none of them."""
    wanted = script.head.channels or tuple(name for name in CHATS if name in built)
    missing = [channel for channel in wanted if channel not in built]
    if len(missing) == len(wanted):
        names = " and no ".join(missing)
        raise SourceLine(script.file, 1).error(f"this build has no {names} channel")
    for channel in missing:
        say(f"{script.file}: not played on {channel}, which this build does not have")
    if only is not None and only not in wanted:
        say(f"{script.file}: not played, it is not for {only}")
    yield from (channel for channel in wanted if channel in built and only in (None, channel))
