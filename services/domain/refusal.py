"""A refusal is returned when the person can act on it, a fault when the error is ours."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """``code`` names the sentence in ``flows/texts``; ``facts`` fill its placeholders."""

    code: str
    facts: dict[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, code: str, **facts: object) -> Refusal:
        return cls(code, facts)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something went wrong on our side; the log has the details under ``reference``."""

    reference: str
