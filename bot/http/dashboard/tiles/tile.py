"""What a tile is: a name, a heading, and what it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.http.dashboard.desk import Desk
from services.ports import Tx

Facts: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tile:
    """``read`` runs on a database reader, and gives its template ``tiles/<name>.html`` the facts.

    Whatever it counts or lists is bounded, so that a desk with a long history is read as fast as a
    new one (docs/decisions/0047).
    """

    name: str
    title: str
    read: Callable[[Tx, Desk], Facts]
