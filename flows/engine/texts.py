"""The texts in every language, and how values are formatted in them."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from babel.core import Locale
from babel.dates import format_date, format_datetime

from services.domain import gsm7
from services.domain.business_days import NAIROBI
from services.domain.document import Period
from services.domain.fees import Fee, ppm_to_percent
from services.domain.money import Money

SHORT = "short."  # before the key of a text: how it is said on the menu of a phone
NAMES = frozenset({"name", "who"})  # facts that are cut there
NAME_SEPTETS = 20
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

    def say(
        self,
        language: str,
        key: str,
        facts: Mapping[str, Any] | None = None,
        *,
        short: bool = False,
    ) -> str:
        """The sentence with its placeholders filled. ``{lines:line}`` is a phrase (``phrase``).
        ``short``: for the menu of a phone, in fewer words where there are such.

        Raises ``KeyError`` for an unknown key or a placeholder without a fact.
        """
        sentences = self._by_language[language]
        sentence = sentences[key]
        if short:
            sentence = sentences.get(SHORT + key, sentence)
        if "{" not in sentence:
            return sentence
        said = []
        for words, name, kind in _parts(sentence):
            said.append(words)
            if name is None:
                continue
            value = (facts or {})[name]
            if kind:
                said.append(self.phrase(language, kind, value))
            elif isinstance(value, Fee):
                said.append(self._fee(language, value))
            elif short and name in NAMES:
                said.append(gsm7.cut(gsm7.plain(format_value(value, language)), NAME_SEPTETS))
            else:
                said.append(format_value(value, language))
        return "".join(said)

    def phrase(self, language: str, kind: str, value: object) -> str:
        """A count with its noun in the right number (``counted.<kind>``), or the words for a value
        as it is stored (``words.<kind>``). What no build of ours stores has no words of its own.
        """
        sentences = self._by_language[language]
        if f"counted.{kind}.other" not in sentences:
            return sentences.get(f"words.{kind}.{value}", sentences["words.unnamed"])
        count = value.cents if isinstance(value, Money) else int(str(value))
        form = f"counted.{kind}.{plural_form(language, count)}"
        if count == 0 and f"counted.{kind}.zero" in sentences:
            form = f"counted.{kind}.zero"
        return self.say(language, form, {"n": f"{count:,}" if isinstance(value, int) else value})

    def _fee(self, language: str, fee: Fee) -> str:
        """A fee as people write it: ``KES 50.00 + 1 %, minimum KES 60.00``."""
        rates = [_in_full(fee.fixed)] if fee.fixed.cents else []
        rates += [f"{ppm_to_percent(fee.ppm)} %"] if fee.ppm else []
        least = None if fee.minimum is None or not fee.minimum.cents else fee.minimum
        if not rates and least is None:
            return self.say(language, "fee.none")
        terms = [" + ".join(rates) or _in_full(fee.fixed)]
        for key, bound in (("fee.minimum", least), ("fee.maximum", fee.maximum)):
            if bound is not None:
                terms.append(self.say(language, key, {"amount": _in_full(bound)}))
        return ", ".join(terms)


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


def _in_full(amount: Money) -> str:
    """With its cents, as contracts write fees: ``KES 1,050.00``."""
    return f"{amount.currency} {amount.cents // 100:,}.{amount.cents % 100:02}"


def plural_form(language: str, count: int) -> str:
    """The form that a noun takes after the count, such as ``one`` or ``other``."""
    return str(Locale.parse(language).plural_form(count))


def plural_forms(language: str) -> set[str]:
    """All forms of the language."""
    return {"other", *Locale.parse(language).plural_form.tags}


@cache
def _parts(sentence: str) -> tuple[tuple[str, str | None, str | None], ...]:
    """The literal parts of a sentence, each with the placeholder that follows: its name, and the
    kind of phrase that it is, if any."""
    parts = []
    for words, name, kind, conversion in string.Formatter().parse(sentence):
        if conversion or not (kind or "a").isidentifier():  # how it looks is not its business
            raise ValueError(f"{name} has a format in {sentence!r}")
        parts.append((words, name, kind or None))
    return tuple(parts)


def placeholders(sentence: str) -> set[str]:
    """A sentence's placeholder names. Raises ``ValueError`` if one has a format."""
    return {name for _, name, _ in _parts(sentence) if name is not None}


def phrase_kinds(sentence: str) -> set[str]:
    """The kinds of phrases that a sentence has."""
    return {kind for _, _, kind in _parts(sentence) if kind is not None}


def literal_words(sentence: str) -> str:
    """The sentence without its placeholders."""
    return " ".join(words for words, _, _ in _parts(sentence))


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)
