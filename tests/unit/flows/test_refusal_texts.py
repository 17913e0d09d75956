"""Every refusal that the code can give has its words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from flows.engine.texts import Texts

PROJECT = Path(__file__).parents[3]


def refusals() -> Iterator[tuple[str, str]]:
    """Each literal code with the file that gives it."""
    for room in ("bot", "flows", "services"):
        for file in (PROJECT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(
                        func=ast.Name(id="Refusal")
                        | ast.Attribute(value=ast.Name(id="Refusal"), attr="of"),
                        args=[ast.Constant(value=str(code)), *_],
                    ):
                        yield code, str(file.relative_to(PROJECT))


def test_every_refusal_has_its_words_in_every_language() -> None:
    texts = Texts.load()
    found = list(refusals())
    assert len(found) > 100
    missing = {
        (code, file)
        for code, file in found
        for language in texts.languages
        if not texts.has(language, f"refusal.{code}")
    }
    assert missing == set()
