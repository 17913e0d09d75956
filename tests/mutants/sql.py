"""Small mistakes in SQL: edits of a string literal's source, including quotes and joins."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SQL = re.compile(r"\b(SELECT|UPDATE|INSERT INTO|DELETE FROM|WHERE|AND|ORDER BY|CASE WHEN)\b")
_SWAPS = [
    (r"(?<= )<=(?= )", "<"), (r"(?<= )<(?= )", "<="), (r"(?<= )>=(?= )", ">"),
    (r"(?<= )>(?= )", ">="), (r"(?<= )<>(?= )", "="), (r"(?<= )\+(?= )", "-"),
    (r"(?<= )-(?= )", "+"), (r"\bIS NULL\b", "IS NOT NULL"), (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bNOT IN(?= \()", "IN"), (r"(?<!NOT )\bIN(?= \()", "NOT IN"),
    (r"\bNOT EXISTS\b", "EXISTS"), (r"(?<!NOT )\bEXISTS\b", "NOT EXISTS"),
    (r"\bmin(?=\()", "max"), (r"\bmax(?=\()", "min"), (r" DESC\b", ""), (r"\bDISTINCT ", ""),
    (r"(?:(?<=WHERE )|(?<= AND )|(?<= OR )|(?<= ON ))([\w.]+ )=(?= )", r"\1<>"),
    (r"(?<=')[A-Z_]+', '(?=[A-Z_]+'(?:, '[A-Z_]+')*\))", ""),  # all but the last item of a list
    (r", '[A-Z_]+'(?=\))", ""),
]  # fmt: skip
_NUMBER = re.compile(r"(?<=[=<>+\-*] )\d+\b")
_AND = re.compile(r"(?<=[ \"])AND(?= )")
_CLAUSE = re.compile(r"\b(?:WHERE|AND|ON) ")
_STOPS = re.compile(r" (?:AND|OR|ORDER|GROUP|LIMIT|RETURNING|UNION|WHERE|JOIN|LEFT|THEN)\b")


def is_sql(text: str) -> bool:
    return _SQL.search(text) is not None


def edits(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and replacement."""
    for pattern, new in _SWAPS:
        for found in re.finditer(pattern, text):
            yield found.start(), found.end(), found.expand(new)
    for found in _NUMBER.finditer(text):
        yield found.start(), found.end(), str(int(found[0]) + 1)
    for found in _AND.finditer(text):
        if not _is_between(text[: found.start()]):
            yield found.start(), found.end(), "OR"
    for found in _CLAUSE.finditer(text):
        end = _end_of_clause(text, found.end())
        if end is not None and not _is_between(text[: found.start()]):
            # Always true but still with its parameters: a forgotten clause.
            yield found.end(), end, f"(1 OR {text[found.end() : end]})"


def _is_between(before: str) -> bool:
    """Whether the next AND belongs to a BETWEEN."""
    between = before.rfind("BETWEEN ")
    return between >= 0 and " AND " not in before[between:] and '"' not in before[between:]


def _end_of_clause(text: str, start: int) -> int | None:
    """Where the condition ends; ``None`` if it continues in the next literal."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] == "(":
            depth += 1
        elif text[at] == ")":
            if depth == 0:
                return at
            depth -= 1
        elif text[at] == '"':
            return at if depth == 0 else None
        elif depth == 0 and _STOPS.match(text, at) and not _is_between(text[start:at]):
            return at
    return None
