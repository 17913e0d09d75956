"""Which tests run which line and how long each takes, measured once per state of the files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2s
from pathlib import Path

from coverage import CoverageData

from tests.mutants.plugin import TIMES

FOLDERS = ("hazina", "bot", "flows", "services", "storage", "tests")
APART = frozenset({"equivalent.toml"})  # affects no test
KEPT = Path(".mutants")


@dataclass(frozen=True)
class Reach:
    seconds: dict[str, float]  # by test
    tests: dict[str, dict[int, list[int]]]  # by file and line, as indexes into ``seconds``

    def of(self, file: str, lines: Iterable[int]) -> list[str]:
        """Tests that run any of the lines, fastest first."""
        names = list(self.seconds)
        by_line = self.tests.get(file, {})
        found = {names[n] for line in lines for n in by_line.get(line, ())}
        return sorted(found, key=lambda test: (self.seconds[test], test))

    def of_file(self, file: str) -> list[str]:
        return self.of(file, self.tests.get(file, {}))


def measure(files: Iterable[str], tests: Sequence[str], jobs: int) -> Reach:
    """Run the tests if any file has changed since the last run; otherwise this takes a second."""
    cache = KEPT / f"{_state(tests)}.json"
    if not cache.exists():
        for old in KEPT.glob("*.json"):
            old.unlink()
        KEPT.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            found = _run(list(files), tests, Path(folder), jobs)
        cache.write_text(json.dumps(found))
    found = json.loads(cache.read_text())
    return Reach(
        found["seconds"],
        {
            file: {int(line): tests for line, tests in by_line.items()}
            for file, by_line in found["tests"].items()
        },
    )


def _state(tests: Sequence[str]) -> str:
    digest = blake2s(" ".join(tests).encode(), digest_size=12)
    for folder in FOLDERS:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.name not in APART:
                digest.update(f"{path} {path.stat().st_size}\n".encode() + path.read_bytes())
    for name in ("pyproject.toml", "requirements.lock"):
        digest.update(Path(name).read_bytes())
    return digest.hexdigest()


def _run(files: list[str], chosen: Sequence[str], folder: Path, jobs: int) -> dict[str, object]:
    times = folder / "times.json"
    command = [sys.executable, "-m", "pytest", "-n", str(jobs), f"--basetemp={folder / 'tmp'}"]
    command += ["-p", "tests.mutants.plugin", "-p", "no:cacheprovider", "--tb=short"]
    command += ["--cov=services", "--cov=storage", "--cov-context=test", "--cov-report=", *chosen]
    print("Which tests run which line:", flush=True)
    data_file = folder / "coverage"
    environment = {"COVERAGE_FILE": str(data_file), TIMES: str(times)}
    ran = subprocess.run(command, env={**os.environ, **environment}, check=False)
    if ran.returncode:
        raise SystemExit("The tests fail as the files are: nothing can be said of mistakes.")
    seconds: dict[str, float] = json.loads(times.read_text())
    place = {test: n for n, test in enumerate(seconds)}
    data = CoverageData(str(data_file))
    data.read()
    tests: dict[str, dict[int, list[int]]] = {}
    for file in files:
        by_line = data.contexts_by_lineno(str(Path(file).resolve()))
        tests[file] = {
            line: sorted(
                {place[name] for context in ran_by if (name := context.rpartition("|")[0])}
            )
            for line, ran_by in by_line.items()
        }
    return {"seconds": seconds, "tests": tests}
