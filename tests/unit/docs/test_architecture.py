"""The docs are accurate: each path exists, and each name on the map is defined in its file."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from flows.engine.texts import Texts

PROJECT = Path(__file__).parents[3]
MAP = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
_FOLDERS = r"(?:bot|flows|services|storage|tests)/"
_PATH = re.compile(rf"`({_FOLDERS}[^`<*…]*)`")
_ROW = re.compile(rf"^\|[^|]*\|((?: *`{_FOLDERS}[^`]+\.py`,?)+) *\|([^|]*)\|", re.MULTILINE)
_NOTICE = re.compile(r"`(notice\.[\w.]+)`")
_NAME = re.compile(r"`(\w+)`")


def defined_in(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                names.add(node.name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def rows() -> list[tuple[list[str], list[str]]]:
    found = [(_PATH.findall(files), _NAME.findall(names)) for files, names in _ROW.findall(MAP)]
    return [(files, names) for files, names in found if names]


DOCS = [
    *PROJECT.glob("*.md"),
    *(PROJECT / "docs").glob("*.md"),
    *PROJECT.glob("docs/monitoring/*.md"),
    *PROJECT.glob("docs/decisions/*.md"),
]
INVENTED = ("thing", "things", "carrier", "NAME")  # from CONTRIBUTING's examples


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_a_path_in_the_docs_exists(doc: Path) -> None:
    if doc.name == "CHANGELOG.md":
        return  # it names files of the past
    paths = set(_PATH.findall(doc.read_text(encoding="utf-8")))
    gone = {path for path in paths if not (PROJECT / path).exists()}
    assert {path for path in gone if Path(path).name.partition(".")[0] not in INVENTED} == set()


@pytest.mark.parametrize(("files", "names"), rows())
def test_a_name_on_the_map_is_defined_in_its_file(files: list[str], names: list[str]) -> None:
    there = set().union(*(defined_in(PROJECT / file) for file in files))
    assert set(names) <= there


def test_the_map_has_every_notice() -> None:
    texts = Texts.load()
    there = {key for key in texts.keys("en") if key.startswith("notice.")}
    assert set(_NOTICE.findall(MAP)) == there - {"notice.reconciled.line"}  # part of another notice


def test_the_map_has_every_job_and_room() -> None:
    assert len(rows()) > 50
    for room in (PROJECT / "bot").iterdir():
        if room.is_dir() and room.name != "__pycache__":
            assert f"`bot/{room.name}/" in MAP
