"""The mutations of `make mutants`: which there are, their names, and how tests notice them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.mutants.__main__ import equivalent, every, money_files, sample
from tests.mutants.edits import Mutant, mutants
from tests.mutants.plugin import SCRIPTS
from tests.mutants.reach import Reach
from tests.mutants.trial import BUDGET_S, affordable


def of(source: str) -> list[Mutant]:
    return mutants("a.py", textwrap.dedent(source).encode())


def changes(source: str) -> set[str]:
    return {mutant.new.strip() for mutant in of(source)}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("x = a < b", {"x = a <= b"}),
        ("x = a is not None", {"x = a is None"}),
        ("x = a not in b", {"x = a in b"}),
        ("x = (a or b) and c", {
            "x = (a or b) or c", "x = (a and b) and c", "x = (True) and c", "x = (a or b) and True",
            "x = (False or b) and c", "x = (a or False) and c",
        }),
        ("x = not a", {"x =  a"}),
        ("x = a if b else c", {"x = a if not (b) else c"}),
        ("x = 2", {"x = 3", "x = 1"}),
        ("x = 0", {"x = 1"}),
        ("x = True", {"x = False"}),
        ("x = a + b", {"x = a - b"}),
        ("x += a", {"x -= a"}),
        ("x = a + 'é'", set()),
        ("x = x.next()", {"pass"}),
        ("x = y.next()", set()),
        ("f(a, b=c)", {"f(a, )", "pass"}),
        ("x = Class(a, b=c)", set()),
        ("assert a < b", set()),
        ("_log.info('a', b=1)", set()),
        ("x: Literal[1] = y", set()),
        ("raise ValueError(1)", {"pass"}),
    ],
)  # fmt: skip
def test_small_mistakes_of_a_line(right: str, wrong: set[str]) -> None:
    assert changes(right) == wrong


def test_a_function_forgets_what_it_returns_and_its_signature_is_left_alone() -> None:
    function = '''
    @cache(1)
    def f(a: Literal[1], b=2) -> Literal[3]:
        """4"""
        return a
    '''
    assert changes(function) == {
        "return None",
        "def f(a: Literal[1], b=3) -> Literal[3]:",
        "def f(a: Literal[1], b=1) -> Literal[3]:",
    }


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("WHERE a = ?", {"WHERE a <> ?", "WHERE (1 OR a = ?)"}),
        ("WHERE a <= ?", {"WHERE a < ?", "WHERE (1 OR a <= ?)"}),
        ("SELECT a FROM b ORDER BY c DESC", {"SELECT a FROM b ORDER BY c"}),
        ("UPDATE a SET b = b + 1", {"UPDATE a SET b = b - 1", "UPDATE a SET b = b + 2"}),
        ("WHERE a IN ('B', 'C')", {
            "WHERE a NOT IN ('B', 'C')", "WHERE a IN ('C')", "WHERE a IN ('B')",
            "WHERE (1 OR a IN ('B', 'C'))",
        }),
        ("WHERE a BETWEEN ? AND ? AND b", {
            "WHERE (1 OR a BETWEEN ? AND ?) AND b", "WHERE a BETWEEN ? AND ? OR b",
            "WHERE a BETWEEN ? AND ? AND (1 OR b)",
        }),
        ("WHERE a IS NULL", {"WHERE a IS NOT NULL", "WHERE (1 OR a IS NULL)"}),
        ("no statement at all, and 1 = 1", set()),
    ],
)  # fmt: skip
def test_small_mistakes_of_sql(right: str, wrong: set[str]) -> None:
    assert changes(f'execute("{right}")') - {"pass"} == {f'execute("{text}")' for text in wrong}


def test_a_clause_that_goes_on_in_the_next_literal_is_not_cut() -> None:
    source = """
    execute("SELECT a FROM b WHERE c IN (SELECT d"
            " FROM e WHERE f = ?)")
    """
    for mutant in of(source):
        assert mutant.source.count(b"(") == mutant.source.count(b")")


def test_a_mistake_keeps_its_id_wherever_its_line_moves() -> None:
    before = of("def f():\n    return a < 1\n")
    after = of("import x\n\ndef f():\n    b()\n    return a < 1\n")
    assert {mutant.id for mutant in before} < {mutant.id for mutant in after}
    twice = of("def f():\n    return a < 1\n\ndef g():\n    return a < 1\n")
    assert len({mutant.id for mutant in twice}) == len(twice) == 2 * len(before)


def test_scripts_are_not_left_out_for_tests_that_take_long() -> None:
    seconds = {"a.py::long": BUDGET_S - 1, "a.py::longer": BUDGET_S, f"{SCRIPTS}::script": 0.2}
    assert affordable(list(seconds), seconds) == ["a.py::long", f"{SCRIPTS}::script"]


def test_every_mistake_can_be_read_and_is_one() -> None:
    for mutant in every(["services/approvals.py", "storage/stores/approvals.py"]):
        compile(mutant.source, mutant.file, "exec")
        assert mutant.old != mutant.new


def test_the_files_of_money_are_there_and_what_is_equivalent_is_theirs() -> None:
    files = money_files()
    assert all(Path(file).is_file() for file in files)
    assert len(set(files)) == len(files)
    assert {known.split()[0] for known in equivalent()} <= set(files)
    assert all(len(why) > 10 for why in equivalent().values())


def test_a_seed_draws_the_same_sample_whatever_else_there_is() -> None:
    found = every(["services/topups.py"])
    drawn = sample(found, 1, 20)
    assert drawn == sample(list(reversed(found)), 1, 20)
    assert drawn != sample(found, 2, 20)
    fewer = [mutant for mutant in found if mutant in drawn or " number " not in mutant.id]
    assert sample(fewer, 1, 20) == drawn


def test_the_tests_of_a_line_come_the_fastest_first() -> None:
    reach = Reach({"slow": 2.0, "fast": 0.1, "other": 0.5}, {"a.py": {3: [0, 1], 4: [2]}})
    assert reach.of("a.py", range(3, 4)) == ["fast", "slow"]
    assert reach.of("a.py", range(5, 9)) == reach.of("b.py", range(3, 4)) == []
    assert reach.of_file("a.py") == ["fast", "other", "slow"]


TRIAL = """
from tests.mutants.trial import noticed_by
right = open("thing.py", "rb").read()
wrong = right.replace(b"<=", b"<")
test = "test_thing.py::test_edge"
for source in (wrong, right):
    print(noticed_by("thing.py", source, [test], {test: 0.1}))
"""


def test_a_mistake_is_noticed_by_the_test_that_fails_with_it_and_written_nowhere(
    tmp_path: Path,
) -> None:
    thing = "def is_small(n):\n    return n <= 3\n"
    (tmp_path / "thing.py").write_text(thing)
    (tmp_path / "test_thing.py").write_text(
        "from thing import is_small\ndef test_edge():\n    assert is_small(3)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", TRIAL], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["test_thing.py::test_edge", "None"]
    assert (tmp_path / "thing.py").read_text() == thing
