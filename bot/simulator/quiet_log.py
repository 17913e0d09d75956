"""The product's log while somebody chats: one quiet line each, never a page of traceback."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from structlog.typing import EventDict

LINE_MAX = 300  # characters

Say = Callable[[str], None]


@contextmanager
def quiet_log(say: Say, *, verbose: bool) -> Iterator[None]:
    """Warnings and worse go to ``say``; ``verbose`` lets information through as well."""
    least = logging.INFO if verbose else logging.WARNING
    # httpx tells of every request at INFO.
    loud = [logging.getLogger(name) for name in ("httpx", "httpcore", "aiosqlite", "apscheduler")]
    levels = [(logger, logger.level) for logger in (*loud, logging.getLogger())]
    handler = _Handler(say)
    for logger in loud:
        logger.setLevel(logging.WARNING)
    root = logging.getLogger()
    root.setLevel(least)
    root.addHandler(handler)

    def keep(logger: object, method: str, event: EventDict) -> EventDict:
        say(_line(event))
        raise structlog.DropEvent

    structlog.configure(
        processors=[keep],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.reset_defaults()
        root.removeHandler(handler)
        for logger, level in levels:
            logger.setLevel(level)


class _Handler(logging.Handler):
    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._say(_one_line(record.getMessage(), error))


def _line(event: EventDict) -> str:
    said = str(event.pop("event", ""))
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    facts = " ".join(f"{name}={value}" for name, value in event.items() if value is not None)
    return _one_line(f"{said} {facts}".rstrip(), error)


def _one_line(text: str, error: object) -> str:
    if isinstance(error, BaseException):
        text += f" ({type(error).__name__}: {error})"
    text = " ".join(text.split())
    return text if len(text) <= LINE_MAX else f"{text[:LINE_MAX]}…"
