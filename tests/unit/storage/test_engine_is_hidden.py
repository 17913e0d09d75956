"""Outside ``storage``, nothing names the database engine: another one can take its place."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
NAMES_IT = {
    "bot/settings.py",  # words for people
    "bot/database.py",  # chooses the engine
    "bot/observe/log.py",  # the logger of a library
    # These write SQL of their own.
    "bot/bench/raw.py",
    "bot/bench/polls.py",
    "bot/bench/operations.py",
}


def test_only_these_files_name_the_engine() -> None:
    files = [file for room in ("bot", "services", "flows") for file in (ROOT / room).rglob("*")]
    found = {
        file.relative_to(ROOT).as_posix()
        for file in files
        if file.suffix in (".py", ".toml")
        and re.search("sqlite", file.read_text(encoding="utf-8"), re.IGNORECASE)
    }
    assert found == NAMES_IT
