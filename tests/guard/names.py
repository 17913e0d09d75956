"""The names that are stored or scripted, read from the program itself: ``python -m
tests.guard.names`` adds new ones to ``names.toml`` and never removes any."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import sqlite3
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from bot.cli.main import main as command_line
from bot.security import stored_secrets
from bot.security.keyring import Keyring
from bot.settings import Settings
from bot.simulation.world import World
from flows.catalogue import all_flows
from flows.engine.nodes import Flow
from flows.engine.texts import Texts
from services.domain.outbox import Rank
from storage.sqlite.migrate import migrate

LISTED = Path(__file__).parent / "names.toml"
ROOT = Path(__file__).parents[2]
KEY = "guard:Z3VhcmQtZ3VhcmQtZ3VhcmQtZ3VhcmQtZ3VhcmQtMDA="  # a dummy key that protects nothing
VERSIONS = range(1, 100)
WORDS_OF = "services."  # the package of the enums whose values are stored
HEAD = """\
# Names that are stored or scripted: none may go or change. New ones are added by
# `python -m tests.guard.names`, which reads them off the program.
"""

Names = Mapping[str, list[str]]


def present() -> dict[str, list[str]]:
    """Kind of name → the current names, in order."""
    found: dict[str, Iterator[str]] = {
        "flows": versions(),
        "nodes": (f"{flow.name}.{node.id}" for flow in all_flows() for node in flow.nodes),
        "options": options(),
        "session_fields": fields_of_sessions(),
        "use_cases": (name for name, _ in used()),
        "exits": (f"{name} {way}" for name, ways in used() for way in ways),
        "slash_commands": slash_commands(),
        "jobs": iter(asyncio.run(jobs())),
        "settings": (name.upper() for name in Settings.model_fields),
        "secrets": iter(stored_secrets.storable_names()),
        "command_line": commands(command_line, "hazina"),
        "enum_words": enum_words(WORDS_OF),
        "column_words": column_words(),
        "reasons": texts_under("reason"),
        "refusals": texts_under("refusal"),
        "audit_acts": audit_acts(),
        "outbox_ranks": (f"{rank.name} {rank.value}" for rank in Rank),
        "key_contexts": iter([f"one-time codes {Keyring.read(KEY).pepper('guard').hex()}"]),
    }
    return {kind: sorted(set(names)) for kind, names in found.items()}


def listed() -> dict[str, list[str]]:
    return tomllib.loads(LISTED.read_text(encoding="utf-8")) if LISTED.exists() else {}


def gone(before: Names, now: Names) -> list[str]:
    """Listed names that no longer exist. An enum may gain words and its class may be renamed, but
    its listed words must stay together in one enum."""
    missing = []
    for kind, names in before.items():
        there = now.get(kind, [])
        for name in names:
            if kind == "enum_words":
                words = set(name.split())
                kept = any(words <= set(other.split()) for other in there)
            else:
                kept = name in there
            if not kept:
                missing.append(f"{kind}: {name}")
    return missing


def unlisted(before: Names, now: Names) -> list[str]:
    return [
        f"{kind}: {name}" for kind, names in now.items() for name in names
        if name not in before.get(kind, [])
    ]  # fmt: skip


def versions() -> Iterator[str]:
    """Every flow version in which an open conversation may have started."""
    flows = all_flows()
    for name in flows.newest:
        yield from (f"{name} {n}" for n in VERSIONS if flows.get(name, n) is not None)


def options() -> Iterator[str]:
    """What a button carries: a node's options, its acts and its editable fields."""
    for flow, node in nodes():
        own = [option.id for option in getattr(node, "options", ())]
        own += getattr(node, "acts", ())
        own += [f"edit-{name}" for name in getattr(node, "edit", ())]
        yield from (f"{flow.name}.{node.id} {option}" for option in own)


def nodes() -> Iterator[tuple[Flow, Any]]:
    return ((flow, node) for flow in all_flows() for node in flow.nodes)


def fields_of_sessions() -> Iterator[str]:
    return (f"{flow.name} {name}" for flow in all_flows() for name in flow.data.model_fields)


def used() -> Iterator[tuple[str, list[str]]]:
    """Each use case or view that a flow calls by name, and the exits that the flow handles."""
    for flow in all_flows():
        if flow.cancel_use_case:
            yield flow.cancel_use_case, []
    for _, node in nodes():
        ways = list(getattr(node, "on", ()))
        for field in fields(node):
            value = getattr(node, field.name)
            if field.name in ("use_case", "status_use_case", "view", "suggest") and value:
                yield value, ways if field.name == "use_case" else []
            if field.name == "acts":
                yield from ((name, []) for name in value.values())


def slash_commands() -> Iterator[str]:
    """The commands that open a flow, and the engine's own commands, which have a text each."""
    yield from (flow.command_word for flow in all_flows() if flow.has_command)
    yield from set(texts_under("command")) - {flow.name for flow in all_flows()}


def texts_under(section: str) -> Iterator[str]:
    for key in Texts.load().keys("en"):
        head, _, word = key.partition(".")
        if head == section:
            yield word


async def jobs() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), threads=False)
        await world.open()
        names = list(world.app.jobs.names)
        await world.close()
    return names


def commands(command: click.Command, path: str) -> Iterator[str]:
    """Each command with its options."""
    yield path
    for given in command.params:
        yield from (f"{path} {name}" for name in given.opts if name.startswith("-"))
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, f"{path} {name}")


def enum_words(within: str) -> Iterator[str]:
    """One line for each enum, with its words."""
    waiting: list[type[StrEnum]] = StrEnum.__subclasses__()
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.startswith(within):
            yield " ".join(sorted(one))


def column_words() -> Iterator[str]:
    """The values that the schema allows in a column, by a constraint or by a row it refers to."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        migrate(conn)
        tables = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        for (purpose,) in conn.execute("SELECT purpose FROM code_purposes"):
            yield f"otp_validations.purpose {purpose}"
        for kind, state in conn.execute("SELECT kind, state FROM operation_states"):
            yield from (f"wallet_transactions.type {kind}", f"wallet_transactions.state {state}")
    for table, sql in tables:
        for column, said in re.findall(r"(\w+) (?:NOT )?IN\s*\(([^()]*'[^()]*)\)", sql):
            yield from (f"{table}.{column} {word}" for word in re.findall(r"'([^']*)'", said))


def audit_acts() -> Iterator[str]:
    """The audit acts that the code records. No registry lists them, so this reads the calls that
    write to the audit log and the values passed to a function's own ``act`` parameter. ``*`` stands
    for a part filled in at run time. A listed act counts as present while the code contains it
    anywhere, whichever call records it."""
    constants: set[str] = set()
    for file in sorted(ROOT.rglob("*.py")):
        if file.relative_to(ROOT).parts[0].startswith((".", "tests")):
            continue
        found = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        constants |= {
            node.value
            for node in found
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        takes = {
            node.name: [arg.arg for arg in node.args.args].index("act")
            for node in found
            if isinstance(node, ast.FunctionDef) and "act" in [arg.arg for arg in node.args.args]
        }
        for node in found:
            if isinstance(node, ast.Call):
                yield from acts_of(node, takes)
    for act in listed().get("audit_acts", []):
        if all(piece in constants for piece in act.split("*") if piece):
            yield act


def acts_of(call: ast.Call, takes: Mapping[str, int]) -> Iterator[str]:
    """The acts in ``audit(partner, act, …)``, ``audit.add(partner, actor, act, …)``, or a call of a
    function in the same file that ``takes`` an act at that position."""
    at: int | None = None
    match call.func:
        case ast.Attribute(attr="audit"):
            at = 1
        case ast.Attribute(value=value, attr="add") if ast.unparse(value).endswith("audit"):
            at = 2
        case ast.Name(id=name):
            at = takes.get(name)
    if at is not None and len(call.args) > at:
        yield from said(call.args[at])


def said(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(act)):
            yield act
        case ast.IfExp():
            yield from said(node.body)
            yield from said(node.orelse)
        case ast.JoinedStr():
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values
            )


def main() -> int:
    before, now = listed(), present()
    for name in gone(before, now):
        print(f"gone, and stays listed: {name}")
    for name in unlisted(before, now):
        print(f"added: {name}")
    parts = [HEAD]
    for kind in now:
        names = sorted({*before.get(kind, []), *now[kind]})
        parts.append(f"{kind} = {json.dumps(names, indent=2, ensure_ascii=False)}\n")
    LISTED.write_text("\n".join(parts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
