"""Captures what the product logs during a storm, to be searched later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.jobs.clock_watch import STEPPED
from bot.simulation.log_capture import full_log


@contextmanager
def captured_log(logged: list[str], errors: list[str]) -> Iterator[None]:
    """Append every log line to ``logged``, and those that report an error of ours to ``errors``."""

    def hear(line: str) -> None:
        logged.append(line)
        if ('"level": "error"' in line or '"exception"' in line) and STEPPED not in line:
            errors.append(line[:2_000])

    with full_log(hear):
        yield
