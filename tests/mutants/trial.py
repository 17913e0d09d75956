"""One mistake, and the tests that may notice it, in a process of its own.

That is forked from one that has read every library and none of our files, and reads the mistaken
source where ours would be read: nothing is written to the work tree.
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

BUDGET_S = 20.0  # of the processor, for the tests of one mistake as measured, scripts apart
START_S = 10.0  # to read our files and find the tests
SLOWER = 5  # so many times what was measured is a loop without an end
ROOT = Path.cwd()
FAILED = "failed"  # a file with the name of the test
OPTIONS = [
    "-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:cov", "-p", "no:xdist",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # libraries were read before
]  # fmt: skip


def affordable(tests: Sequence[str], seconds: dict[str, float]) -> list[str]:
    """The fastest ones, as many as there is time for; one at least.

    Scripts have a time of their own: a few long tests must not leave none for them.
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
    """The test that fails, or how they ended; ``None`` where all pass.

    Scripts come last, and by themselves: to read them all takes longer than most tests.
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
        ends_at = time.monotonic() + 3 * most_s  # of a lock that nobody gives back
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
