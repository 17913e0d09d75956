"""Set-up and fixtures for every test."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

pytest.register_assert_rewrite("tests.kit")

from tests.kit.plain_store import PlainStore  # noqa: E402 - its asserts are rewritten

collect_ignore = ["browser"]  # `make browser` runs these with another pytest, and pytest.ini there
ALLOCATIONS = 50_000  # between looks at young objects; the default, 700, takes a tenth of the time


def pytest_collection_finish() -> None:
    """Objects made so far stay, so garbage collection need not look at them again."""
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 100)


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Undo the logging set-up of a command, which assumes that the process is its own."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainStore]:
    """Shared by the tests of a module: each reverts what the previous one did with ``undo``."""
    store = PlainStore(tmp_path_factory.mktemp("store") / "hazina.db")
    yield store
    store.close()


@pytest.fixture
def fresh_store(tmp_path: Path) -> Iterator[PlainStore]:
    """A store for a single test, which may change what ``undo`` cannot revert."""
    store = PlainStore(tmp_path / "hazina.db")
    yield store
    store.close()
