"""`make mutants`: how many of a seeded sample of small mistakes the tests notice."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
import tomllib
from collections.abc import Sequence
from functools import partial
from hashlib import blake2s
from importlib import import_module
from pathlib import Path

from tests.mutants.edits import Mutant, mutants
from tests.mutants.reach import Reach, measure
from tests.mutants.trial import affordable, noticed_by

HERE = Path(__file__).parent
WANTED = 0.9  # share of the sample
LIBRARIES = """aiosmtplib aiosqlite apscheduler.schedulers.asyncio babel.dates babel.numbers click
    cryptography.fernet defusedxml.ElementTree fpdf httpx hypothesis.stateful PIL phonenumbers
    prometheus_client prompt_toolkit pydantic_settings starlette.applications structlog
    telegram.ext uvicorn"""


def money_files() -> list[str]:
    lines = (HERE / "money.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def equivalent() -> dict[str, str]:
    """Mistakes without observable effect, by id, each with the reason."""
    return tomllib.loads((HERE / "equivalent.toml").read_text())


def every(files: Sequence[str]) -> list[Mutant]:
    return [mutant for file in files for mutant in mutants(file, Path(file).read_bytes())]


def sample(found: Sequence[Mutant], seed: int, most: int) -> list[Mutant]:
    """Ordered by digest, so that unchanged code stays in the sample when other lines change."""
    return sorted(found, key=lambda mutant: blake2s(f"{seed} {mutant.id}".encode()).digest())[:most]


def may_notice(reach: Reach, mutant: Mutant) -> list[str]:
    tests = reach.of(mutant.file, mutant.lines)
    if not tests and not mutant.in_function:
        tests = reach.of_file(mutant.file)  # it ran when the module was imported
    return affordable(tests, reach.seconds)


def tried(reach: Reach, ends_at: float, mutant: Mutant) -> tuple[Mutant, int, bool | None]:
    """How many tests may notice, and whether one does; ``None`` if time ran out."""
    if time.monotonic() > ends_at:
        return mutant, 0, None
    tests = may_notice(reach, mutant)
    by = noticed_by(mutant.file, mutant.source, tests, reach.seconds)
    return mutant, len(tests), by is not None


def fails_unchanged(reach: Reach, mutant: Mutant) -> str | None:
    """A test that fails without a mistake, which would make the results meaningless."""
    tests, source = may_notice(reach, mutant), Path(mutant.file).read_bytes()
    return noticed_by(mutant.file, source, tests, reach.seconds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=200, help="how many are tried")
    parser.add_argument("--for", type=float, default=100_000, dest="seconds", help="seconds")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tests", nargs="*", default=["tests"], help="those that may notice")
    parser.add_argument("--only", default="", help="those whose id begins so, all of them")
    options = parser.parse_args()

    found, known = every(money_files()), equivalent()
    gone = known.keys() - {mutant.id for mutant in found}
    chosen = (
        [mutant for mutant in found if mutant.id.startswith(options.only)]
        if options.only
        else sample(found, options.seed, options.most)
    )
    to_try = [mutant for mutant in chosen if mutant.id not in known]
    reach = measure(money_files(), options.tests, options.jobs)
    for library in LIBRARIES.split():
        import_module(library)
    noticed, survivors = 0, []
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        widest = max(to_try, key=lambda mutant: len(may_notice(reach, mutant)))
        failed = pool.apply(fails_unchanged, (reach, widest))
        if failed is not None:
            print(f"Nothing can be said of mistakes: as the files are, these tests fail: {failed}")
            return 1
        began = time.monotonic()
        try_one = partial(tried, reach, began + options.seconds)
        for mutant, ran, seen in pool.imap_unordered(try_one, to_try):
            if seen:
                noticed += 1
            elif seen is not None:
                survivors.append(mutant)
                print(f"\n{mutant.file}:{mutant.line}  [{mutant.id}]  {ran} tests")
                print(f"-{mutant.old}\n+{mutant.new}", flush=True)
    count = noticed + len(survivors)
    share = noticed / max(count, 1)
    took = time.monotonic() - began
    print(
        f"\nSeed {options.seed}: {noticed} of {count} mistakes noticed ({share:.1%})"
        f" in {took:.0f} s; {len(found)} could be made. {len(chosen) - len(to_try)} of the sample"
        f" change nothing, {len(to_try) - count} were not tried in time."
    )
    for name in sorted(gone):
        print(f"tests/mutants/equivalent.toml names what is not there any more: {name}")
    return int(share < WANTED or bool(gone))


if __name__ == "__main__":
    sys.exit(main())
