"""Customers that a partner has saved under a name, to pay them again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from services.domain.phone import Phone

NAME_MAX = 40  # characters
_NAME = re.compile(r"[^\W\d_](?:[^\W_]|[ .'’&-])*")  # begins with a letter, so is never a figure


@dataclass(frozen=True, slots=True)
class Recipient:
    """``name`` is as it was typed; two names are one if their keys are (``name_key``)."""

    partner: str
    name: str
    phone: Phone
    saved_by: int
    saved_at: datetime


def name_key(name: str) -> str:
    """What names are compared by: without case, and with one blank where there are several."""
    return " ".join(name.split()).casefold()


def is_name(text: str) -> bool:
    """Whether a recipient can be saved under it."""
    typed = " ".join(text.split())
    return len(typed) <= NAME_MAX and _NAME.fullmatch(typed) is not None
