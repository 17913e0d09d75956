"""Reads ``.env``, and refuses ambiguous lines instead of guessing.

The grammar is python-dotenv's (``export``, quotes, comments), but without substitution: a ``$`` is
a ``$``.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Collection
from pathlib import Path

from dotenv.parser import Binding, parse_stream

ENV_FILE = Path(".env")
BYTES_MAX = 65_536  # far more than all settings at their longest
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # written by PowerShell's >


class EnvFileFault(Exception):
    """The file cannot be used: one line per error, without any value."""


def read_env_file(
    path: Path = ENV_FILE, *, ours: Collection[str] = (), secret: Collection[str] = ()
) -> dict[str, str]:
    """The values it sets, by name in upper case; empty when there is no such file.

    Names in ``ours`` must be unambiguous: set once, with a value. If they are also in ``secret``,
    the value must appear literally. Raises ``EnvFileFault``.
    """
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    wrong: list[str] = []
    for binding in parse_stream(io.StringIO(_text(path), newline="")):
        line = binding.original.line + _blank_lines_before(binding)
        if binding.error:
            wrong.append(f"{path}: line {line} is not NAME=value, or a quote is left open")
            continue
        if binding.key is None:
            continue
        name = binding.key.upper()
        if name in ours:
            before = found.get(name) if name in lines else binding.value
            if binding.value is None:
                wrong.append(f"{name}: has no = in line {line} of {path}")
            elif before != binding.value:
                wrong.append(f"{name}: is set in lines {lines[name]} and {line} of {path}")
            elif name in secret and not _as_it_stands(binding):
                wrong.append(
                    f"{name}: may be read in two ways in line {line} of {path}: put the value"
                    " between single quotes if it has a #, and without quotes if it has a \\"
                )
        found[name] = binding.value or ""
        lines[name] = line
    if wrong:
        raise EnvFileFault("\n".join(wrong))
    return found


def _text(path: Path) -> str:
    try:
        kind = path.stat().st_mode
        # Secret managers may provide the file as a pipe.
        if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
            raise EnvFileFault(f"{path}: is not a file, as a missing one that is mounted becomes")
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise EnvFileFault(
                f"{path}: links to {os.readlink(path)}, which is not there"
            ) from None
        return ""
    except OSError as error:
        raise EnvFileFault(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > BYTES_MAX:
        raise EnvFileFault(f"{path}: is longer than {BYTES_MAX:,} bytes")
    if content.startswith(_UTF_16):
        raise EnvFileFault(f"{path}: is UTF-16: save it as UTF-8")
    if b"\0" in content:
        raise EnvFileFault(f"{path}: is not text: save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EnvFileFault(f"{path}: line {line} is not UTF-8: save it as UTF-8") from None


def _blank_lines_before(binding: Binding) -> int:
    text = binding.original.string
    return text[: len(text) - len(text.lstrip())].count("\n")


def _as_it_stands(binding: Binding) -> bool:
    """Whether the value has no comment cut off and no escape replaced."""
    written = binding.original.string.partition("=")[2].strip()
    if written[:1] in ("'", '"'):
        return written.startswith(f"{written[0]}{binding.value}{written[0]}")
    return not binding.value or written == binding.value
