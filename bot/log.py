"""How log lines look: JSON for machines, readable on a terminal; bodies and tokens never."""

from __future__ import annotations

import logging
import sys

import structlog

# httpx prints whole URLs at INFO, and Telegram's hold the bot token (facts: channels).
# python-telegram-bot and aiosqlite print bodies and statements at DEBUG.
TALKATIVE = ("httpx", "httpcore", "telegram", "aiosqlite", "apscheduler")
FORMAT = "%(levelname)s %(name)s %(message)s"  # of what libraries log
FACTS: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def hush() -> None:
    """Libraries warn, and say nothing else, whatever the level."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def configure(level: str = "info") -> None:
    """Called once by the command line; a simulation has its log to itself (``quiet_log``)."""
    least = getattr(logging, level.upper())
    logging.basicConfig(level=least, stream=sys.stderr, format=FORMAT)
    hush()
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            *FACTS,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
