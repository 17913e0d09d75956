"""How log lines look: JSON for machines, readable on a terminal; bodies and tokens never.

A line passes ``Redactor`` last, a library's as well as our own. None ends the desk, or waits for
whoever reads it (docs/decisions/0026).
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from bot.observe.line_writer import LineWriter
from bot.observe.redaction import Redactor
from bot.observe.repeated_errors import EVERY_S, RepeatedErrors

# httpx prints whole URLs at INFO, and Telegram's hold the bot token (facts: channels).
# python-telegram-bot and aiosqlite print bodies and statements at DEBUG.
TALKATIVE = ("httpx", "httpcore", "telegram", "aiosqlite", "apscheduler")
CLOSE_S = 2.0  # that what waits for a slow reader is given at the end
FORMAT = "%(levelname)s %(name)s %(message)s"  # of what libraries log in a simulation


def _stamp(logger: object, method: str, event: EventDict) -> EventDict:
    """UTC to the millisecond: six digits would look like a code to who searches for one."""
    second, ms = divmod(time.time_ns() // 1_000_000, 1_000)
    event["timestamp"] = f"{_second(second)}.{ms:03}Z"
    return event


@lru_cache(maxsize=2)
def _second(since_epoch: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since_epoch))


LINE_PROCESSORS: tuple[Processor, ...] = (
    structlog.processors.add_log_level,
    _stamp,
    structlog.processors.format_exc_info,
)

_encode = json.JSONEncoder(default=repr).encode  # made once: a line a turn goes through it


def as_json(logger: object, method: str, event: EventDict) -> str:
    """One line; what JSON does not know is written as Python would show it."""
    return _encode(event)


def quiet_libraries() -> None:
    """Libraries warn, and say nothing else, whatever the level."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


class Log:
    """Where every line goes, ours and libraries'; ``configure`` makes it."""

    def __init__(self, stream: TextIO, least: int, hidden: Iterable[str]) -> None:
        facts: list[Processor] = [*LINE_PROCESSORS, Redactor(hidden)]
        renderer: Processor = as_json
        if stream.isatty():
            renderer = structlog.dev.ConsoleRenderer(
                exception_formatter=structlog.dev.plain_traceback
            )
        self._repeats = RepeatedErrors(self._say)
        self._writer = LineWriter(stream, lambda lost: _lost(facts, renderer, lost))
        self._processors: list[Processor] = [self._repeats, *facts, renderer]
        self._wrapper = structlog.make_filtering_bound_logger(least)
        formatter = ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *facts],
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
        )
        self.handler = _Handler(self._writer, self._repeats)
        self.handler.setFormatter(formatter)
        # structlog's last logger: a line that is made is written, whatever its level.
        self.debug = self.info = self.warning = self.error = self.critical = self._writer.write

    def configure_structlog(self) -> None:
        structlog.configure(
            processors=self._processors,
            wrapper_class=self._wrapper,
            logger_factory=self,
            cache_logger_on_first_use=False,
        )

    def __call__(self, *_: object) -> Log:
        """As structlog's factory of loggers."""
        return self

    @property
    def lost(self) -> int:
        """Lines that could not be written."""
        return self._writer.lost

    @asynccontextmanager
    async def reporting_repeats(self) -> AsyncIterator[None]:
        """Meanwhile what is repeated is told of each minute, also when nothing else is logged."""

        async def report() -> None:
            while True:
                await asyncio.sleep(EVERY_S)
                self._repeats.report()

        task = asyncio.create_task(report())
        try:
            yield
        finally:
            task.cancel()

    def close(self) -> None:
        self._repeats.report(all_of_them=True)
        self._writer.close(CLOSE_S)

    def _say(self, level: str, facts: Mapping[str, Any]) -> None:
        log = structlog.wrap_logger(self, self._processors, self._wrapper)
        getattr(log, level)(**facts)


class _Handler(logging.Handler):
    """Of libraries' lines."""

    def __init__(self, writer: LineWriter, repeats: RepeatedErrors) -> None:
        super().__init__()
        self._writer = writer
        self._repeats = repeats

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record) if self._repeats.admits(record) else None
        except Exception:  # noqa: BLE001 - a library's own mistake in a line of its log
            self._writer.lost += 1
            return
        if line is not None:
            self._writer.write(line)


def _lost(facts: Iterable[Processor], renderer: Processor, lost: int) -> str:
    """The line that says how many were lost until now."""
    event: EventDict = {"event": "log lines were lost", "lost": lost}
    for processor in facts:
        event = processor(None, "warning", event)  # type: ignore[assignment]
    return str(renderer(None, "warning", event))


def configure(level: str = "info", hidden: Iterable[str] = ()) -> Log:
    """Called once by the command line; a simulation has its log to itself (``brief_log``).

    ``hidden`` are this run's secrets.
    """
    least = getattr(logging, level.upper())
    log = Log(sys.stderr, least, hidden)
    logging.basicConfig(level=least, handlers=[log.handler])
    quiet_libraries()
    log.configure_structlog()
    sys.excepthook = _ended
    atexit.register(log.close)
    return log


def configured() -> Log | None:
    """What ``configure`` has made; ``None`` where lines go elsewhere."""
    factory = structlog.get_config()["logger_factory"]
    return factory if isinstance(factory, Log) else None


def _ended(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    """The interpreter's own last words would pass no mask."""
    if issubclass(kind, Exception):
        logging.getLogger("hazina").critical("ended by a fault", exc_info=(kind, error, at))
    else:
        sys.__excepthook__(kind, error, at)
