"""What a document says, and how it writes days, in the language of its reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from babel.dates import format_date

from services.domain.business_days import NAIROBI


@dataclass(frozen=True, slots=True)
class Words:
    """``sentence`` gives the sentence of a key with its facts, such as ``page`` with the number."""

    language: str
    sentence: Callable[[str, Mapping[str, object]], str]

    def __call__(self, key: str, **facts: object) -> str:
        return self.sentence(key, facts)

    def day(self, day: date) -> str:
        """``1 Oct 2026``; in Kiswahili ``1 Okt 2026``."""
        return _written(day, "d MMM y", self.language)

    def day_of_year(self, day: date) -> str:
        return _written(day, "d MMM", self.language)

    def moment(self, at: datetime) -> str:
        """Day and time in Nairobi."""
        local = at.astimezone(NAIROBI)
        return f"{self.day(local.date())}, {local:%H:%M}"


@lru_cache(maxsize=4096)
def _written(day: date, form: str, language: str) -> str:
    return format_date(day, form, locale=language)
