"""The codes that people dial, and what they may dial behind one: ``*384*7*1*500#``."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DIALLED = re.compile(r"\*[0-9*]{1,128}#")


class ServiceCodes:
    """The registered codes, such as ``*384*7#``."""

    def __init__(self, codes: Iterable[str]) -> None:
        longest_first = sorted(codes, key=lambda code: (-len(code), code))
        self._begins = [(code, code.removesuffix("#") + "*") for code in longest_first]

    def split(self, dialled: str) -> tuple[str, str] | None:
        """The longest registered code that it begins with, and the tail behind that (``1*500``,
        often empty). ``None`` if it is no code, or none of ours: ``*384*71#`` is not ``*384*7#``.
        """
        if not _DIALLED.fullmatch(dialled):
            return None
        segments = dialled.removesuffix("#") + "*"
        for code, begin in self._begins:
            if segments.startswith(begin):
                return code, segments.removeprefix(begin).removesuffix("*")
        return None
