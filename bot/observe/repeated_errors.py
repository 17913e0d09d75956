"""Logs the first few occurrences of a repeated error, then only counts them."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from structlog.typing import EventDict

FIRST = 5  # occurrences that are printed
EVERY_S = 60.0  # between lines that report the count
KEYS_MAX = 500  # distinct errors remembered
KEY_MAX = 500  # characters
ERRORS = frozenset({"error", "exception", "critical"})
TIMES = "times"  # the field with the count
# What varies between occurrences: numbers, and references of operations and faults.
_VARIES = re.compile(r"\b[A-Z]{1,2}-[0-9A-Z]{4,}\b|\d+")

Say = Callable[[str, Mapping[str, Any]], None]  # level and fields of the line


@dataclass(slots=True)
class _Seen:
    level: str
    facts: Mapping[str, Any]
    reported_at: float
    latest: float
    count: int = 0
    unreported: int = 0


class RepeatedErrors:
    """A structlog processor, to be placed first; libraries' lines are checked with ``admits``.

    Errors are the same if their text and fields are equal apart from numbers and references. One
    that did not occur for a minute is forgotten. ``say`` writes a line that reports a count.
    """

    def __init__(self, say: Say, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._write_line = say
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._seen: dict[str, _Seen] = {}
        self._has_unreported = False

    def __call__(self, logger: object, method: str, event: EventDict) -> EventDict:
        if self._has_unreported:
            self.report()
        if method in ERRORS and TIMES not in event and not self._admits(method, event):
            raise structlog.DropEvent
        return event

    def admits(self, record: logging.LogRecord) -> bool:
        """Whether to print a library's line. Limits warnings too, which strangers can cause."""
        if record.levelno < logging.WARNING:
            return True
        facts = {"event": record.getMessage(), "logger": record.name, "exc_info": record.exc_info}
        return self._admits(record.levelname.lower(), facts)

    def report(self, *, all_of_them: bool = False) -> None:
        """Report how often each occurred since its last line, if that was a minute ago."""
        now = self._monotonic()
        with self._lock:
            due = [
                seen
                for seen in self._seen.values()
                if seen.unreported and (all_of_them or now - seen.reported_at >= EVERY_S)
            ]
            reports = [(seen.level, {**seen.facts, TIMES: seen.unreported}) for seen in due]
            for seen in due:
                seen.reported_at, seen.unreported = now, 0
            self._has_unreported = any(seen.unreported for seen in self._seen.values())
        for level, facts in reports:
            self._write_line(level, facts)

    def _admits(self, level: str, event: Mapping[str, Any]) -> bool:
        facts = {name: value for name, value in event.items() if name != "exc_info"}
        key = _key(level, facts, event.get("exc_info"))
        now = self._monotonic()
        with self._lock:
            seen = self._seen.get(key)
            if seen is None or (not seen.unreported and now - seen.latest >= EVERY_S):
                self._make_room(now)
                level = "error" if level == "exception" else level
                seen = self._seen[key] = _Seen(level, facts, reported_at=now, latest=now)
            seen.count, seen.latest = seen.count + 1, now
            if seen.count <= FIRST:
                return True
            seen.unreported += 1
            self._has_unreported = True
            return False

    def _make_room(self, now: float) -> None:
        """Forget errors that have stopped; if all are current, the oldest."""
        if len(self._seen) < KEYS_MAX:
            return
        for key, seen in list(self._seen.items()):
            if not seen.unreported and now - seen.latest >= EVERY_S:
                del self._seen[key]
        while len(self._seen) >= KEYS_MAX:
            del self._seen[next(iter(self._seen))]


def _key(level: str, facts: Mapping[str, Any], exc_info: Any) -> str:
    if exc_info is True:
        exc_info = sys.exc_info()
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    words = [level, *(f"{name}={value}" for name, value in sorted(facts.items()))]
    if error:
        words.append(f"{type(error).__name__}: {error}")
    return _VARIES.sub("#", " ".join(words)[:KEY_MAX])
