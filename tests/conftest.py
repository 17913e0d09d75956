"""For every test."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

pytest.register_assert_rewrite("tests.kit")

from tests.kit.plain_store import PlainStore  # noqa: E402 - its asserts are rewritten

ALLOCATIONS = 50_000  # between two looks at the youngest objects; 700 costs a tenth of the time


def pytest_collection_finish() -> None:
    """What has been made by now stays, so the collector need not look at it again."""
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 100)


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A command that was run has set the log up as if the process were its own."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainStore]:
    """One for the tests of a file: each takes back what the one before did, by ``undo``."""
    store = PlainStore(tmp_path_factory.mktemp("store") / "hazina.db")
    yield store
    store.close()


@pytest.fixture
def fresh_store(tmp_path: Path) -> Iterator[PlainStore]:
    """One for a single test, for those that change what ``undo`` cannot take back."""
    store = PlainStore(tmp_path / "hazina.db")
    yield store
    store.close()
