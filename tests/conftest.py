"""Set-up and fixtures for every test."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

import pytest
import structlog

pytest.register_assert_rewrite("tests.kit")

from services.domain.database import DatabaseServer  # noqa: E402 - as below
from tests.kit.copied_database import make_original  # noqa: E402 - asserts of these are rewritten
from tests.kit.on_server import VARIABLE  # noqa: E402 - asserts of these are rewritten
from tests.kit.plain_store import PlainStore  # noqa: E402
from tests.kit.postgres_server import postgres_server  # noqa: E402

_on_server = ExitStack()
collect_ignore = ["browser"]  # `make browser` runs these with another pytest, and pytest.ini there
ALLOCATIONS = 50_000  # between looks at young objects; the default, 700, takes a tenth of the time


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--on-postgres",
        action="store_true",
        help="Stores and scripts on a PostgreSQL of this run's own, instead of SQLite.",
    )
    parser.addoption(
        "--share",
        type=int,
        default=1,
        metavar="N",
        help="Only about one test in N: always the same ones, chosen by their names.",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--on-postgres") and VARIABLE not in os.environ:
        os.environ[VARIABLE] = _on_server.enter_context(postgres_server()).dsn
        make_original(DatabaseServer(os.environ[VARIABLE]))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    share = config.getoption("--share")
    left_out = [item for item in items if crc32(item.nodeid.encode()) % share]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if crc32(item.nodeid.encode()) % share == 0]
    if not config.getoption("--on-postgres"):
        return
    for item in items:
        only = item.get_closest_marker("sqlite_only")
        if only is not None:
            (why,) = only.args
            item.add_marker(pytest.mark.skip(reason=f"SQLite only: {why}"))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A share of a few tests may well be none."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.getoption("--share") > 1:
        session.exitstatus = pytest.ExitCode.OK


def pytest_unconfigure() -> None:
    _on_server.close()


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
