"""One mistake, and the tests that may notice it, in a process of its own.

It is forked from a process that has imported every library but none of our files, and imports the
mistaken source in place of ours: nothing is written to the work tree.
"""

from __future__ import annotations

import os
import resource
import signal
import tempfile
import time
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from tests.mutants.plugin import SCRIPTS, Only

BUDGET_S = 20.0  # CPU seconds for the tests of one mistake as measured, without scripts
START_S = 10.0  # to import our files and collect the tests
SLOWER = 5  # an endless loop takes more than this multiple of the measured time
ROOT = Path.cwd()
FAILED = "failed"  # name of the file holding the failing test's name
OPTIONS = [
    "-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:cov", "-p", "no:xdist",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # libraries were imported before
]  # fmt: skip


def affordable(tests: Sequence[str], seconds: dict[str, float]) -> list[str]:
    """The fastest tests that fit the budget, at least one.

    Scripts have their own budget, so that a few long tests cannot use it up.
    """
    chosen: list[str] = []
    for scripts in (False, True):
        spent = 0.0
        some = [test for test in tests if test.startswith(SCRIPTS) is scripts]
        for test in sorted(some, key=lambda test: (seconds[test], test)):
            spent += seconds[test]
            if chosen and spent > BUDGET_S:
                break
            chosen.append(test)
    return chosen


def noticed_by(
    file: str, source: bytes, tests: Sequence[str], seconds: dict[str, float]
) -> str | None:
    """The failing test, or how the run ended; ``None`` if all pass.

    Scripts run last and separately, because reading them all takes longer than most tests.
    """
    scripts = [test for test in tests if test.startswith(SCRIPTS)]
    others = [test for test in tests if not test.startswith(SCRIPTS)]
    for some in (others, scripts):
        if some:
            failed = _failing(file, source, some, sum(seconds[test] for test in some))
            if failed is not None:
                return failed
    return None


def _failing(file: str, source: bytes, tests: Sequence[str], measured_s: float) -> str | None:
    most_s = START_S + SLOWER * measured_s
    with tempfile.TemporaryDirectory() as folder:
        pid = os.fork()
        if pid == 0:
            try:
                os._exit(_run(file, source, tests, Path(folder), int(most_s)))
            finally:
                os._exit(99)
        ends_at = time.monotonic() + 3 * most_s  # in case of a lock that is never released
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                break
            if time.monotonic() > ends_at:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return "no end"
            time.sleep(0.02)
        failed = Path(folder, FAILED)
        if failed.exists():
            return failed.read_text()
    return None if status == 0 else f"status {os.waitstatus_to_exitcode(status)}"


def _run(file: str, source: bytes, tests: Sequence[str], folder: Path, cpu_s: int) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    get_code = SourceFileLoader.get_code
    mistaken = str(ROOT / file)

    def read(loader: SourceFileLoader, name: str) -> object:
        if loader.path == mistaken:
            return compile(source, mistaken, "exec", dont_inherit=True)
        return get_code(loader, name)

    SourceFileLoader.get_code = read  # type: ignore[assignment, method-assign]
    files = dict.fromkeys(test.partition("::")[0] for test in tests)
    return pytest.main(
        [*OPTIONS, f"--basetemp={folder / 'tmp'}", *files],
        plugins=[Only(tests, folder / FAILED)],
    )
