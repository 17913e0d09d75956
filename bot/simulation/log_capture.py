"""Redirects the log to a callback during a simulation, and restores logging afterwards."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import structlog
from structlog.typing import EventDict, Processor

from bot.observe import log
from bot.observe.redaction import Redactor

LINE_MAX = 300  # characters

Say = Callable[[str], None]


def brief_log(say: Say, *, verbose: bool) -> AbstractContextManager[None]:
    """Warnings and errors, one line each, never a traceback; with ``verbose`` also information."""
    least = logging.INFO if verbose else logging.WARNING
    return _brief(say, say, least)


def page_log(loud: Say, quiet: Say, *, verbose: bool) -> AbstractContextManager[None]:
    """As ``brief_log`` to ``loud``; everything from information on to ``quiet``."""

    def both(line: str) -> None:
        loud(line)
        quiet(line)

    return _brief(both, both if verbose else quiet, logging.INFO)


def _brief(loud: Say, quiet: Say, least: int) -> AbstractContextManager[None]:
    """Warnings and errors go to ``loud``, the rest to ``quiet``."""
    redactor = Redactor()

    def masked(say: Say) -> Say:
        def tell(line: str) -> None:
            # Masked before it is cut: half a phone number would not be recognised.
            whole = redactor.text(line)
            say(whole if len(whole) <= LINE_MAX else f"{whole[:LINE_MAX]}…")

        return tell

    return _diverted(masked(loud), least, [redactor, _line], _OneLine(), masked(quiet))


def full_log(say: Say) -> AbstractContextManager[None]:
    """Everything that can be logged, tracebacks included and unmasked, so that a search for secrets
    also finds those that masks would hide.
    """
    written: list[Processor] = [*log.LINE_PROCESSORS, log.as_json]
    return _diverted(say, logging.DEBUG, written, logging.Formatter(log.FORMAT))


@contextmanager
def _diverted(
    say: Say,
    least: int,
    processors: Sequence[Processor],
    formatter: logging.Formatter,
    quiet: Say | None = None,
) -> Iterator[None]:
    """``processors`` render our own log lines; ``formatter`` renders those of libraries. What is
    less than a warning goes to ``quiet``, if there is one."""
    root = logging.getLogger()
    levels = [(logger, logger.level) for logger in (root, *map(logging.getLogger, log.TALKATIVE))]
    quiet = quiet or say
    handler = _Handler(say, quiet)
    handler.setFormatter(formatter)
    root.setLevel(least)
    log.quiet_libraries()
    root.addHandler(handler)

    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: _Voice(say, quiet),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.reset_defaults()
        root.removeHandler(handler)
        for logger, level in levels:
            logger.setLevel(level)


class _Voice:
    """structlog's final logger: it passes every rendered line on."""

    def __init__(self, loud: Say, quiet: Say) -> None:
        self.debug = self.info = quiet
        self.warning = self.error = self.critical = loud


class _Handler(logging.Handler):
    def __init__(self, loud: Say, quiet: Say) -> None:
        super().__init__()
        self._loud = loud
        self._quiet = quiet

    def emit(self, record: logging.LogRecord) -> None:
        say = self._loud if record.levelno >= logging.WARNING else self._quiet
        say(self.format(record))


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _one_line(record.getMessage(), record.exc_info[1] if record.exc_info else None)


def _line(logger: object, method: str, event: EventDict) -> str:
    event_name = str(event.pop("event", ""))
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    facts = " ".join(f"{name}={value}" for name, value in event.items() if value is not None)
    return _one_line(f"{event_name} {facts}".rstrip(), error)


def _one_line(text: str, error: object) -> str:
    if isinstance(error, BaseException):
        text += f" ({type(error).__name__}: {error})"
    return " ".join(text.split())
