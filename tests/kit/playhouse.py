"""Plays scripts on the echo stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scripts.command import talk
from bot.scripts.parse import load
from bot.scripts.player import LineFailed, Player
from tests.kit.echo_stage import EchoStage

GIVEN = """given partner FINSAFE wallet 200.00
given person amina of FINSAFE role owner phone 254712345678
given person juma of FINSAFE role viewer phone 254712345679
"""


class Playhouse:
    """Writes a script, plays it, and keeps the stage for inspection."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "play.chat"
        self.stages: list[EchoStage] = []
        self.problems: list[str] = []
        self.gone = False

    def build(self, channel: str) -> EchoStage:
        stage = EchoStage(channel, problems=self.problems, gone=self.gone)
        self.stages.append(stage)
        return stage

    @property
    def log(self) -> list[str]:
        return [entry for entry in self.stages[-1].log if entry != "settle"]

    def write(self, text: str, head: str = "") -> Path:
        self.file.write_text(head + GIVEN + text, encoding="utf-8")
        return self.file

    async def holds(self, text: str, *, restarts: bool = False) -> None:
        script = load(self.write(text))
        await Player(script, self.build("telegram"), restarts=restarts).play()

    async def fails(self, text: str) -> LineFailed:
        with pytest.raises(LineFailed) as caught:
            await self.holds(text)
        return caught.value

    async def talk(self, text: str, head: str = "", **options: object) -> int:
        options = {"channel": None, "restart": False, "record": False} | options
        return await talk([self.write(text, head)], stage_factory=self.build, **options)  # type: ignore[arg-type]
