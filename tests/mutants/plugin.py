"""Selects, orders and times the tests that look for mistakes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

SCRIPTS = "tests/test_conversations.py"
APART = (  # their processes lack the mistake, or they must not start any here
    "tests/end_to_end/",
    "tests/unit/mutants/test_mutants.py",
    "tests/storm/test_storm.py::test_worlds_of_several_processes",
)
TIMES = "MUTANTS_TIMES"

# Property tests: reproducible, without shrinking, and tolerant of a busy machine.
settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutants")


class Only:
    """These tests in this order; the name of the failing one is written to ``failed``."""

    def __init__(self, wanted: Sequence[str], failed: Path) -> None:
        self._wanted = wanted
        self._failed = failed

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        by_id = {item.nodeid: item for item in items}
        items[:] = [by_id[test] for test in self._wanted if test in by_id]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.write_text(report.nodeid)


class Worthwhile:
    """Tests worth their time: each script on one channel, without restarts."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        scripts: dict[str, str] = {}
        for item in items:
            if item.nodeid.startswith(SCRIPTS):
                scripts.setdefault(item.nodeid.rpartition("-")[0], item.nodeid)
        items[:] = [
            item
            for item in items
            if not item.nodeid.startswith(APART)
            and "_with_a_restart_" not in item.nodeid
            and scripts.get(item.nodeid.rpartition("-")[0], item.nodeid) == item.nodeid
        ]

    # CPU time of all threads, so a busy machine does not make a test slower.

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        self._began_s = time.process_time()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        item.user_properties.append((TIMES, time.process_time() - self._began_s))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Runs in the process that receives all reports."""
        for name, seconds in report.user_properties:
            if name == TIMES:
                self._seconds[report.nodeid] = float(str(seconds))

    def pytest_sessionfinish(self) -> None:
        Path(os.environ[TIMES]).write_text(json.dumps(self._seconds))


def pytest_configure(config: pytest.Config) -> None:
    if TIMES in os.environ:
        config.pluginmanager.register(Worthwhile())
