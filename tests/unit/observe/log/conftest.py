"""Fixtures for the tests in this folder."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from tests.kit.log_lines import QUIET


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("", *QUIET)]
    levels = [(logger, logger.level) for logger in loggers]
    handlers = list(logging.getLogger().handlers)
    last_words = sys.excepthook
    yield
    sys.excepthook = last_words
    for logger, level in levels:
        logger.setLevel(level)
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()
