"""Help is fast: a command imports what it needs only when it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SLOW = {"asyncio", "concurrent", "multiprocessing", "json", "sqlite3", "ssl", "logging"}
SHOW_HELP = """
import contextlib, io, json, sys
import click
before = set(sys.modules)
import hazina
with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):
    for sys.argv in json.loads(sys.argv[1]):
        try:
            hazina.main()
        except SystemExit as ended:
            assert not ended.code, sys.argv
print("\\n".join(set(sys.modules) - before))
"""
LIST_COMMANDS = """
import click
import json
from bot.cli.main import main
def walk(command, *names):
    yield ["hazina", *names, "--help"]
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, *names, name)
print(json.dumps(list(walk(main))))
"""


def _python(code: str, *args: str) -> str:
    # Leave out coverage's start-up file, which imports its own modules in every process.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


@pytest.fixture(scope="module")
def imported_for_help() -> set[str]:
    """What the help of every command imports, apart from click and its own imports."""
    commands = _python(LIST_COMMANDS)
    assert len(json.loads(commands)) > 30
    return set(_python(SHOW_HELP, commands).split())


def test_help_imports_no_library_but_click(imported_for_help: set[str]) -> None:
    libraries = {name.partition(".")[0] for name in imported_for_help} - sys.stdlib_module_names
    assert libraries == {"hazina", "bot", "click"}


def test_help_imports_nothing_of_the_program_but_its_commands(imported_for_help: set[str]) -> None:
    ours = {name for name in imported_for_help if name.startswith("bot.")} - {"bot.runtime"}
    allowed = ("bot.cli", "bot.runtime.standard_streams")
    assert [name for name in ours if not name.startswith(allowed)] == []


def test_help_imports_nothing_slow_of_the_standard_library(imported_for_help: set[str]) -> None:
    assert {name.partition(".")[0] for name in imported_for_help} & SLOW == set()
