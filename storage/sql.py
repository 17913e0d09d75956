"""What the stores need of a connection, whichever engine it belongs to.

Statements are written once, in the SQL that both engines understand
(docs/decisions/0037), with ``?`` for each parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol


class Rows(Protocol):
    """What a statement returned or changed."""

    @property
    def rowcount(self) -> int:
        """How many rows it has inserted, updated or deleted."""
        ...

    @property
    def lastrowid(self) -> int | None:
        """The number that the newest inserted row was given."""
        ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows: ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows: ...
