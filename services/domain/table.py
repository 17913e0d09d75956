"""The table in a file, such as a statement, whoever exported it: text in any encoding, any
separators, column names in any order and case, and rows above and below."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

BYTES_MAX = 16 * 1024 * 1024
LINES_MAX = 100_000
FIELD_MAX = 1_000  # characters of one value
HEAD_MAX = 60  # lines above the table
SHOWN_MAX = 40  # characters of a value repeated in an error

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NO_TABLE = {b"PK\x03\x04": "an Excel workbook", b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "Excel's"}


class TableFileError(Exception):
    """The file has no readable table; says which line is wrong, and why."""


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` is its line in the file; ``width`` the number of values it should have.
    ``is_longer``: one that is not blank stands behind those."""

    number: int
    fields: Mapping[str, str]
    values: int
    width: int
    is_longer: bool

    def fault(self, column: str, understood: str) -> TableFileError:
        shown = self.fields.get(column, "")[:SHOWN_MAX]
        return TableFileError(f"line {self.number}, column {column}: “{shown}”; {understood}")


def read_table(
    content: bytes, columns: Sequence[str], required: Collection[str], *, only_titles: bool = False
) -> Iterator[Row]:
    """Every row below the line that names the ``required`` columns, without blank ones. With
    ``only_titles`` a line above it has one value at most: two may be a row that would be left out.
    A row's ``fields`` are those of the named ``columns`` that it has; others are ignored.

    Raises ``TableFileError``.
    """
    if len(content) > BYTES_MAX:
        raise TableFileError(f"the file is larger than {BYTES_MAX // 1024 // 1024} MB")
    text = _text_of(content)
    by_name = {_plain(column): column for column in columns}
    separator, header_at = _find_header(text, by_name, required, only_titles)
    reader = _reader(text, separator)
    try:
        for _ in range(header_at):
            next(reader)
        header = next(reader)
        names = [by_name.get(_plain(name)) for name in header]
        known = [name for name in names if name is not None]
        if len(set(known)) != len(known):
            raise TableFileError(f"line {reader.line_num}: a column comes twice")
        for count, row in enumerate(reader):
            if count >= LINES_MAX:
                raise TableFileError(f"more than {LINES_MAX:,} lines")
            if not any(value.strip() for value in row):
                continue
            if max(map(len, row)) > FIELD_MAX:
                raise TableFileError(f"line {reader.line_num}: a value is too long")
            pairs = zip(names, row, strict=False)
            fields = {name: value.strip() for name, value in pairs if name}
            is_longer = any(value.strip() for value in row[len(header) :])
            yield Row(reader.line_num, fields, len(row), len(header), is_longer)
    except csv.Error as error:
        raise TableFileError(f"line {reader.line_num}: {error}") from None


def _text_of(content: bytes) -> str:
    """In whatever encoding banks export it."""
    for begins, what in _NO_TABLE.items():
        if content.startswith(begins):
            raise TableFileError(f"the file is {what}: save it as CSV")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\x00" in content[:200]:
        encodings = ["utf-16-le", "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise TableFileError("the file is neither UTF-8, UTF-16 nor Windows-1252 text")


def _find_header(
    text: str, by_name: Mapping[str, str], required: Collection[str], only_titles: bool
) -> tuple[str, int]:
    """The delimiter, and the number of rows above the column names."""
    best: tuple[int, str, int] = (0, ",", 0)
    for separator in _SEPARATORS:
        reader = _reader(text, separator)
        for above in range(HEAD_MAX):
            try:
                row = next(reader)
            except (StopIteration, csv.Error):
                break
            found = {by_name.get(_plain(name)) for name in row}
            if found.issuperset(required):
                return separator, above
            count = len(found & set(required))
            best = max(best, (count, separator, reader.line_num))
            if only_titles and sum(bool(value.strip()) for value in row) > 1:
                break
    count, separator, number = best
    where = f"line {number} has only {count} of them, parted by {_SEPARATORS[separator]}"
    raise TableFileError(
        f"no line has the columns {', '.join(required)}" + (f": {where}" if count else "")
    )


def _reader(text: str, separator: str) -> csv._reader:  # type: ignore[name-defined]
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())
