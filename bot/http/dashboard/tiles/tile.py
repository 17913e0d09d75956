"""What a tile is: a name, a heading, and what it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.http.dashboard.desk import Desk
from services.ports import Tx

Facts: TypeAlias = Mapping[str, Any]


def _nothing(desk: Desk) -> Facts:
    return {}


@dataclass(frozen=True, slots=True)
class Tile:
    """``read`` runs on a database reader, and ``beside`` on the event loop; together they give the
    template ``tiles/<name>.html`` its facts.

    Whatever ``read`` counts or lists is bounded, so that a desk with a long history is read as fast
    as a new one (docs/decisions/0049).
    """

    name: str
    title: str
    read: Callable[[Tx, Desk], Facts]
    beside: Callable[[Desk], Facts] = _nothing
