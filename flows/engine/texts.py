"""The texts in every language, and how values are formatted in them."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from babel.dates import format_date, format_datetime

from services.domain.business_days import NAIROBI
from services.domain.document import Period

_MOMENT = {"en": "d MMM y, HH:mm"}
_DAY = {"en": "d MMM y"}


class Texts:
    """Sentences by language and dotted key. Every language has the same keys (checked)."""

    def __init__(self, by_language: Mapping[str, Mapping[str, str]]) -> None:
        self._by_language = by_language

    @classmethod
    @cache
    def load(cls) -> Texts:
        """Read ``flows/texts/<subject>.<language>.toml`` once per process.

        Raises ``ValueError`` when two files of one language define the same key.
        """
        languages: dict[str, dict[str, str]] = {}
        for file in files("flows").joinpath("texts").iterdir():
            if not file.name.endswith(".toml"):
                continue
            language = file.name.removesuffix(".toml").rpartition(".")[2]
            sentences = languages.setdefault(language, {})
            for key, sentence in _flatten(tomllib.loads(file.read_text(encoding="utf-8"))):
                if key in sentences:
                    raise ValueError(f"{file.name} says {key} again")
                sentences[key] = sentence
        return cls(languages)

    @property
    def languages(self) -> list[str]:
        return sorted(self._by_language)

    def keys(self, language: str) -> Mapping[str, str]:
        return self._by_language[language]

    def has(self, language: str, key: str) -> bool:
        return key in self._by_language[language]

    def say(self, language: str, key: str, facts: Mapping[str, Any] | None = None) -> str:
        """The sentence with its placeholders filled.

        Raises ``KeyError`` for an unknown key or a placeholder without a fact.
        """
        sentence = self._by_language[language][key]
        if "{" not in sentence:
            return sentence
        said = []
        for words, name in _parts(sentence):
            said.append(words)
            if name is not None:
                said.append(format_value((facts or {})[name], language))
        return "".join(said)


def format_value(value: object, language: str) -> str:
    """A value as people read it: times in Nairobi time, money and phones in their own format."""
    if isinstance(value, str):
        return value
    if isinstance(value, Period):
        days = dict.fromkeys((value.first, value.last))
        return " – ".join(format_value(day, language) for day in days)
    if isinstance(value, date) and not isinstance(value, datetime):
        return format_date(value, _DAY.get(language, _DAY["en"]), locale=language)
    if isinstance(value, datetime):
        return _moment(value.replace(second=0, microsecond=0), language)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return str(value)


@lru_cache(maxsize=4096)
def _moment(moment: datetime, language: str) -> str:
    return format_datetime(
        moment.astimezone(NAIROBI), _MOMENT.get(language, _MOMENT["en"]), locale=language
    )


@cache
def _parts(sentence: str) -> tuple[tuple[str, str | None], ...]:
    """The literal parts of a sentence, each with the name of the placeholder that follows."""
    parts = []
    for words, name, form, conversion in string.Formatter().parse(sentence):
        if form or conversion:  # formatting is not the sentence's business
            raise ValueError(f"{name} has a format in {sentence!r}")
        parts.append((words, name))
    return tuple(parts)


def placeholders(sentence: str) -> set[str]:
    """A sentence's placeholder names. Raises ``ValueError`` if one has a format."""
    return {name for _, name in _parts(sentence) if name is not None}


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)
