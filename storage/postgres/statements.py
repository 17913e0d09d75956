"""The stores' statements as PostgreSQL takes them: parameters, values, and what comes back."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from typing import Any

from psycopg.pq import Format

from storage.stores import claims, webhook_deliveries

_QUOTED_OR_PARAMETER = re.compile(r"'(?:[^']|'')*'|\?")
_CHANGES = re.compile(r"(?!SELECT|BEGIN|SAVEPOINT|RELEASE|ROLLBACK|COMMIT)")
_WITHOUT_ROWS = re.compile(
    r"(?:INSERT|UPDATE|DELETE|BEGIN|SAVEPOINT|RELEASE|COMMIT)\b(?!.*\bRETURNING\b)", re.DOTALL
)


# What claims read: a row that another process is claiming is not waited for.
_SKIPPING = frozenset({claims.TO_SEND, claims.TO_QUERY, webhook_deliveries.DUE})


def as_sent(sql: str) -> str:
    """A statement of the stores as PostgreSQL takes it."""
    return numbered(sql) + (" FOR UPDATE SKIP LOCKED" if sql in _SKIPPING else "")


def numbered(sql: str) -> str:
    """With ``$1``, ``$2``, … for each ``?`` that stands outside of quotes."""
    numbers = count(1)
    return _QUOTED_OR_PARAMETER.sub(
        lambda found: f"${next(numbers)}" if found[0] == "?" else found[0], sql
    )


def changes(sql: str) -> bool:
    return _CHANGES.match(sql) is not None


def can_wait(sql: str) -> bool:
    """Whether nobody reads rows from it, and no later statement can only be prepared after it."""
    return _WITHOUT_ROWS.match(sql) is not None


def cleaned(value: Any) -> Any:
    """PostgreSQL's text has no NUL: it becomes U+FFFD, the same wherever it is compared."""
    return without_nul(value) if isinstance(value, str) else value


def without_nul(text: str) -> str:
    return text.replace("\0", "�") if "\0" in text else text


# Values go as text, and the server takes the type of each from the statement; bytes go as they are.
def encode(value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return without_nul(value).encode()
    if isinstance(value, int):  # booleans too: SQLite has none, so that columns hold 0 and 1
        return b"%d" % value
    if isinstance(value, float):
        return repr(value).encode()
    raise TypeError(f"no statement takes a {type(value).__name__}")


def format_of(value: Any) -> Format:
    return Format.BINARY if isinstance(value, bytes) else Format.TEXT


def _number(value: bytes) -> int | float:
    """Sums of integers come as decimals."""
    return float(value) if b"." in value else int(value)


# By the number of the type in pg_type, which PostgreSQL never changes.
DECODERS: dict[int, Callable[[bytes], Any]] = {
    16: lambda value: int(value == b"t"),  # boolean: SQLite's comparisons are 0 and 1
    17: lambda value: bytes.fromhex(value[2:].decode()),  # bytea, as \x…
    19: bytes.decode,  # name
    20: int,
    21: int,
    23: int,
    25: bytes.decode,  # text
    26: int,  # oid
    700: float,
    701: float,
    705: bytes.decode,  # a literal whose type nothing decides
    1043: bytes.decode,  # varchar
    1700: _number,
    2278: lambda value: None,  # void
}
