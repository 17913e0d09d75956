"""What the badges of the README say is so."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _badge(name: str) -> str:
    text = (ROOT / f"docs/pictures/badge-{name}.svg").read_text(encoding="utf-8")
    label = re.search(r'aria-label="([^"]+)"', text)
    assert label is not None
    assert f"](docs/pictures/badge-{name}.svg)" in (ROOT / "README.md").read_text(encoding="utf-8")
    return label[1]


def test_the_badges_agree_with_the_project() -> None:
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert _badge("python") == f"python: {oldest} or newer"
    assert _badge("licence") == f"licence: {PROJECT['project']['license']}"
    assert PROJECT["tool"]["mypy"]["strict"] is True
    assert _badge("types") == "types: mypy strict"
