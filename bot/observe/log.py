"""Configures logging: JSON for machines, plain text on a terminal, never bodies or tokens.

Every line, also a library's, passes ``Redactor`` before it is rendered. Logging never stops or
blocks the program (docs/decisions/0026).
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
# python-telegram-bot and aiosqlite print bodies and statements at DEBUG. fontTools tells of each
# table that the fonts of a PDF do without.
TALKATIVE = ("httpx", "httpcore", "telegram", "aiosqlite", "apscheduler", "fontTools")
CLOSE_S = 2.0  # how long the backlog may take to be written at exit
FORMAT = "%(levelname)s %(name)s %(message)s"  # for libraries' lines in a simulation


def _stamp(logger: object, method: str, event: EventDict) -> EventDict:
    """UTC with milliseconds: six digits would look like a one-time code in searches."""
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

_encode = json.JSONEncoder(default=repr).encode  # built once: every turn logs a line


def as_json(logger: object, method: str, event: EventDict) -> str:
    """One line; values that JSON cannot represent are written as their ``repr``."""
    return _encode(event)


def quiet_libraries() -> None:
    """Let libraries log warnings and above only, whatever the configured level."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


class Log:
    """The destination of all lines, ours and libraries'. Created by ``configure``."""

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
        # structlog's final logger: levels are filtered before, so every line is written.
        self.debug = self.info = self.warning = self.error = self.critical = self._writer.write

    def configure_structlog(self) -> None:
        structlog.configure(
            processors=self._processors,
            wrapper_class=self._wrapper,
            logger_factory=self,
            cache_logger_on_first_use=False,
        )

    def __call__(self, *_: object) -> Log:
        """Acts as structlog's logger factory."""
        return self

    @property
    def lost(self) -> int:
        """How many lines could not be written."""
        return self._writer.lost

    @asynccontextmanager
    async def reporting_repeats(self) -> AsyncIterator[None]:
        """Report repeated errors every minute, even when nothing else is logged."""

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
    """Handles libraries' lines."""

    def __init__(self, writer: LineWriter, repeats: RepeatedErrors) -> None:
        super().__init__()
        self._writer = writer
        self._repeats = repeats

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record) if self._repeats.admits(record) else None
        except Exception:  # noqa: BLE001 - a bug in a library's logging call
            self._writer.lost += 1
            return
        if line is not None:
            self._writer.write(line)


def _lost(facts: Iterable[Processor], renderer: Processor, lost: int) -> str:
    """The line that reports how many lines were lost so far."""
    event: EventDict = {"event": "log lines were lost", "lost": lost}
    for processor in facts:
        event = processor(None, "warning", event)  # type: ignore[assignment]
    return str(renderer(None, "warning", event))


def configure(level: str = "info", hidden: Iterable[str] = ()) -> Log:
    """Called once by the command line; a simulation configures its own log (``brief_log``).

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
    """The log that ``configure`` created; ``None`` when lines go elsewhere."""
    factory = structlog.get_config()["logger_factory"]
    return factory if isinstance(factory, Log) else None


def _ended(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    """Log uncaught exceptions: the interpreter's own traceback would not be redacted."""
    if issubclass(kind, Exception):
        logging.getLogger("hazina").critical("ended by a fault", exc_info=(kind, error, at))
    else:
        sys.__excepthook__(kind, error, at)
