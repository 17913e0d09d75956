"""Every small mistake possible in a file, each an edit of its source found through ``ast``.

Annotations, decorators, assertions, imports, log lines and printed text are left alone.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2s
from itertools import pairwise
from typing import Any

from tests.mutants import sql

COMPARED = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
COMPUTED = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.FloorDiv: "*", ast.Mod: "*",
    ast.BitOr: "&", ast.BitAnd: "|",
}  # fmt: skip
LEFT_ALONE = (ast.Assert, ast.Import, ast.ImportFrom, ast.JoinedStr)
PRINTED = frozenset({"__repr__", "__str__"})
LOGS = re.compile(r"(self\.)?_?log\.")


@dataclass(frozen=True, slots=True)
class Mutant:
    """``lines`` are those of its statement; only a test that runs one of them can notice.

    Without ``in_function`` they run when the module is imported.
    """

    file: str
    line: int
    lines: range
    in_function: bool
    id: str  # file, kind and a digest of the row, so it survives when the row moves
    source: bytes = field(repr=False)
    old: str
    new: str


def mutants(file: str, source: bytes) -> list[Mutant]:
    """All mistakes of one file, in line order."""
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    rows = source.splitlines()
    for start, end, new, kind, lines, in_function in sorted(set(_Finder(source).all())):
        first, last = source.count(b"\n", 0, start), source.count(b"\n", 0, end)
        row = rows[first].strip()
        place = source[:start].rpartition(b"\n")[2].lstrip()  # text before it in its row
        named = f"{kind}|{len(place)}|{new}|".encode() + row
        name = f"{file} {kind} {blake2s(named, digest_size=4).hexdigest()}"
        seen[name] += 1
        mistaken = source[:start] + new.encode() + source[end:]
        found.append(
            Mutant(
                file=file,
                line=first + 1,
                lines=range(*lines),
                in_function=in_function,
                id=f"{name} {seen[name]}" if seen[name] > 1 else name,
                source=mistaken,
                old=b"\n".join(rows[first : last + 1]).decode(),
                new=b"\n".join(mistaken.splitlines()[first : last + 1 + new.count("\n")]).decode(),
            )
        )
    return found


# Start, end, replacement, kind, the statement's own lines, whether in a function.
Edit = tuple[int, int, str, str, tuple[int, int], bool]


class _Finder:
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def all(self) -> Iterator[Edit]:
        return self._edits(ast.parse(self._source))

    def _edits(
        self, node: ast.AST, lines: tuple[int, int] = (1, 2), inside: bool = False
    ) -> Iterator[Edit]:
        if _is_left_alone(node):
            return
        if isinstance(node, ast.stmt | ast.match_case):
            lines = _header(node)
        for start, end, new, kind in self._of(node):
            yield start, end, new, kind, lines, inside
        for child in _children(node):
            yield from self._edits(child, lines, inside or isinstance(node, ast.FunctionDef))

    def _span(self, node: Any) -> tuple[int, int]:
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def _text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _between(self, left: ast.AST, right: ast.AST, word: str) -> tuple[int, int]:
        """Where the operator ``word`` (a pattern) is between two operands."""
        start, end = self._span(left)[1], self._span(right)[0]
        found = re.search(word.encode(), self._source[start:end])
        assert found is not None, self._source[start:end]
        return start + found.start(), start + found.end()

    def _of(self, node: ast.AST) -> Iterator[tuple[int, int, str, str]]:
        match node:
            case ast.Compare(left, ops, comparators):
                operands = [left, *comparators]
                for n, op in enumerate(ops):
                    where = self._between(operands[n], operands[n + 1], r"[<>=!]+|[a-z]+( [a-z]+)?")
                    yield *where, COMPARED[type(op)], "compare"
            case ast.BoolOp(op, values):
                swapped, neutral = ("or", "True") if isinstance(op, ast.And) else ("and", "False")
                for left, right in pairwise(values):
                    yield *self._between(left, right, r"\b(and|or)\b"), swapped, "boolean"
                for value in values:
                    yield *self._span(value), neutral, "operand"
            case ast.UnaryOp(ast.Not()):
                start, _ = self._span(node)
                yield start, start + 3, "", "not"
            case ast.If(test) | ast.While(test) | ast.IfExp(test):
                if isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.NamedExpr):
                    yield *self._span(test), f"not ({self._text(test)})", "condition"
            case ast.Constant(bool() as value):
                yield *self._span(node), str(not value), "flag"
            case ast.Constant(int() | float() as value):
                yield *self._span(node), str(value + 1), "number"
                if value:
                    yield *self._span(node), str(value - 1), "number"
            case ast.Constant(str() as value) if sql.is_sql(value):
                start, _ = self._span(node)
                text = self._text(node)
                for at, end, new in sql.edits(text):
                    before = len(text[:at].encode())
                    yield start + before, start + before + len(text[at:end].encode()), new, "sql"
            case ast.BinOp(left, op, right) if type(op) in COMPUTED:
                if not any(
                    isinstance(side, ast.JoinedStr) or _is_text(side) for side in (left, right)
                ):
                    where = self._between(left, right, r"//|[-+*%|&]")
                    yield *where, COMPUTED[type(op)], "arithmetic"
            case ast.Return(ast.expr() as value) if not _is_constant(value):
                yield *self._span(value), "None", "return"
            case ast.Call(ast.Name(name)) if name[0].isupper() or name == "field":
                pass  # a class requires its arguments, so dropping one tests nothing
            case ast.Call(keywords=keywords):
                for keyword in keywords:
                    start, end = self._span(keyword)
                    comma = re.match(rb"\s*,?", self._source[end:])
                    assert comma is not None
                    yield start, end + comma.end(), "", "keyword"
            case ast.Expr(ast.Call()) | ast.Raise() | ast.Continue() | ast.Break():
                yield *self._span(node), "pass", "statement"
            case ast.AugAssign(op=op):
                where = self._between(node.target, node.value, r"//|[-+*%|&]")
                yield *where, COMPUTED[type(op)], "arithmetic"
            case ast.Assign([target], value) if _has_value_without(target, value):
                yield *self._span(node), "pass", "statement"


def _header(node: ast.AST) -> tuple[int, int]:
    """Lines of a statement without those of nested statements; the end is excluded."""
    begins = node.pattern if isinstance(node, ast.match_case) else node
    body = getattr(node, "body", None)
    last = body[0].lineno if isinstance(body, list) and body else begins.end_lineno + 1
    return begins.lineno, max(begins.lineno + 1, last)


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Expr(ast.Constant(str())):
            return True  # a docstring
        case ast.Expr(ast.Call(func)):
            return LOGS.match(ast.unparse(func)) is not None
        case ast.FunctionDef(name):
            return name in PRINTED
    return isinstance(node, LEFT_ALONE)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.FunctionDef(args=args, body=body):
            yield from (
                default for default in (*args.defaults, *args.kw_defaults) if default is not None
            )
            yield from body
        case ast.ClassDef(body=body):
            yield from body
        case ast.AnnAssign(value=value):
            if value is not None:
                yield value
        case ast.Raise():
            pass  # its text
        case _:
            yield from ast.iter_child_nodes(node)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _has_value_without(target: ast.expr, value: ast.expr) -> bool:
    """Whether the target has a value before the assignment; otherwise dropping it tests nothing."""
    if not isinstance(target, ast.Name):
        return not isinstance(target, ast.Tuple)
    return any(isinstance(node, ast.Name) and node.id == target.id for node in ast.walk(value))
