"""Looks for secrets where none may rest: database files, outbox, trail and log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.simulator.telegram_api import TOKEN
from bot.simulator.world import NCBA_PASSWORD, World


@dataclass(frozen=True, slots=True)
class Planted:
    """Every secret that this run used, by what it is."""

    by_name: dict[str, str]

    @classmethod
    def of(cls, world: World) -> Planted:
        named = {"bot token": TOKEN, "NCBA password": NCBA_PASSWORD}
        for number, token in enumerate(world.bank.issued_tokens(), start=1):
            named[f"NCBA token {number}"] = token
        return cls(named)


def found_at_rest(planted: Planted, folder: Path, log: Iterable[str]) -> list[str]:
    """Where a secret was found, without repeating it. The outbox and the trail are tables."""
    found = []
    logged = "\n".join(log).encode()
    places = {"the log": logged}
    places |= {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
    for name, secret in planted.by_name.items():
        for place, content in places.items():
            if secret.encode() in content:
                found.append(f"{name} in {place}")
    return found
