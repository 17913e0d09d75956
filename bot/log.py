"""How log lines look: JSON for machines, readable on a terminal; bodies and tokens never.

A line passes ``Masks`` last, a library's as well as our own.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable
from functools import lru_cache
from types import TracebackType

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from bot.masks import Masks

# httpx prints whole URLs at INFO, and Telegram's hold the bot token (facts: channels).
# python-telegram-bot and aiosqlite print bodies and statements at DEBUG.
TALKATIVE = ("httpx", "httpcore", "telegram", "aiosqlite", "apscheduler")
FORMAT = "%(levelname)s %(name)s %(message)s"  # of what libraries log in a simulation


def _stamp(logger: object, method: str, event: EventDict) -> EventDict:
    """UTC to the millisecond: six digits would look like a code to who searches for one."""
    second, ms = divmod(time.time_ns() // 1_000_000, 1_000)
    event["timestamp"] = f"{_second(second)}.{ms:03}Z"
    return event


@lru_cache(maxsize=2)
def _second(since_epoch: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since_epoch))


FACTS: tuple[Processor, ...] = (
    structlog.processors.add_log_level,
    _stamp,
    structlog.processors.format_exc_info,
)

_encode = json.JSONEncoder(default=repr).encode  # made once: a line a turn goes through it


def as_json(logger: object, method: str, event: EventDict) -> str:
    """One line; what JSON does not know is written as Python would show it."""
    return _encode(event)


def hush() -> None:
    """Libraries warn, and say nothing else, whatever the level."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def configure(level: str = "info", hidden: Iterable[str] = ()) -> None:
    """Called once by the command line; a simulation has its log to itself (``quiet_log``).

    ``hidden`` are this run's secrets.
    """
    least = getattr(logging, level.upper())
    facts: list[Processor] = [*FACTS, Masks(hidden)]
    renderer: Processor = as_json
    if sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *facts],
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=least, handlers=[handler])
    hush()
    structlog.configure(
        processors=[*facts, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _ended


def _ended(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    """The interpreter's own last words would pass no mask."""
    if issubclass(kind, Exception):
        logging.getLogger("hazina").critical("ended by a fault", exc_info=(kind, error, at))
    else:
        sys.__excepthook__(kind, error, at)
