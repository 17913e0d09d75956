"""Every SQL statement that both engines must understand, read from the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
# Of storage; these may be written for one engine, or name any table.
ENGINES = ("sqlite", "postgres", "migrations", "copying.py")
METHODS = ("execute", "executemany", "executescript")
_QUOTED_OR_PARAMETER = re.compile(r"'(?:[^']|'')*'|\?")


class Statement(NamedTuple):
    where: str  # file:line
    sql: str


class UnresolvedStatement(Exception):
    """An executed statement whose text cannot be read from the source; says where it is."""


def shared_files() -> list[Path]:
    """Of storage, and of storms, which look at the tables from outside."""
    files = sorted((*(ROOT / "storage").rglob("*.py"), *(ROOT / "bot" / "storm").rglob("*.py")))
    return [file for file in files if not {*ENGINES} & {*file.relative_to(ROOT).parts}]


def shared_statements() -> list[Statement]:
    """Raises ``UnresolvedStatement``."""
    return [
        statement
        for file in shared_files()
        for statement in statements_in(
            file.read_text(encoding="utf-8"), str(file.relative_to(ROOT))
        )
    ]


def statements_in(source: str, name: str) -> Iterator[Statement]:
    """The statements in a module's source. Each must be a literal, a constant of the module, or a
    loop variable over such constants."""
    tree = ast.parse(source)
    texts = _module_texts(tree)
    loops = _loops(tree, texts)
    called = {
        id(node.func): node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and node.attr in METHODS):
            continue
        match called.get(id(node)):
            case ast.Constant(value=str(sql)):
                found = [sql]
            case ast.Name(id=variable):
                found = texts.get(variable) or loops.get(variable) or []
            case _:
                found = []
        if not found:
            raise UnresolvedStatement(f"{name}:{node.lineno}: {ast.unparse(node)}")
        yield from (Statement(f"{name}:{node.lineno}", sql) for sql in found)


def numbered(sql: str) -> str:
    """With ``$1``, ``$2``, … for each ``?`` that stands outside of quotes."""
    numbers = count(1)
    return _QUOTED_OR_PARAMETER.sub(
        lambda found: f"${next(numbers)}" if found[0] == "?" else found[0], sql
    )


def _module_texts(tree: ast.Module) -> dict[str, list[str]]:
    """Module constants that are a text, or a tuple of texts or of tuples that begin with one."""
    return {
        target.id: _texts(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _texts(value: ast.expr) -> list[str]:
    return [
        part.value
        for part in map(_first, value.elts if isinstance(value, ast.Tuple) else [value])
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]


def _first(value: ast.expr) -> ast.expr:
    """Of a statement with the names of its values: the statement."""
    return value.elts[0] if isinstance(value, ast.Tuple) else value


def _loops(tree: ast.Module, texts: dict[str, list[str]]) -> dict[str, list[str]]:
    """Loop variables, with the texts of every constant that the loop runs over."""
    return {
        target.id: [
            text
            for name in ast.walk(node.iter)
            if isinstance(name, ast.Name)
            for text in texts.get(name.id, [])
        ]
        for node in ast.walk(tree)
        if isinstance(node, ast.For)
        if isinstance(target := _first(node.target), ast.Name)
    }
