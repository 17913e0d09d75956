"""No sentence promises that somebody has been told, unless the program tells them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from flows.engine.texts import Texts
from services.domain.mpesa import NEEDS_ADMIN
from services.domain.payout import NEEDS_ADMIN as PAYOUT_NEEDS_ADMIN

BOT = Path(__file__).parents[3] / "bot"
TEXTS = Texts.load()

# What sounds like a promise, in each language: somebody was or is told of it, or looks into it.
PROMISES = {
    "en": re.compile(
        r"\b(?:has|have|is|are|was|were) (?:been )?told\b|\bis looking into\b", re.IGNORECASE
    ),
    "sw": re.compile(
        r"\b(?:ame|wame|ime)(?:julishwa|ambiwa)\b|\b(?:a|wa)najulishwa\b"
        r"|\b(?:a|wa)nafuatilia\b|\bhujulishwa\b"
    ),
}


def payout_reason(reason: str) -> str:
    """The key of the words for it, which a payout may have of its own."""
    own = f"reason.payout.{reason}"
    return own if TEXTS.has("en", own) else f"reason.{reason}"


# By sentence: the text of the notice that keeps the promise.
KEPT_BY = {
    "topup.send_unknown.ask": "notice.topup_send_unknown",
    "topup.unknown.ask": "notice.topup_unknown",
    "short.topup.unknown.ask": "notice.topup_unknown",
    "status.UNKNOWN": "notice.topup_unknown",
    "float.unknown.ask": "notice.float_unknown",
    **{f"reason.{reason}": "notice.refused_for_ours" for reason in NEEDS_ADMIN},
    "float.awaits.ask": "notice.float_approval",
    "approve.approved.ask": "notice.float_approved",
    "short.approve.approved.ask": "notice.float_approved",
    "approve.declined.ask": "float.declined.ask",
    "pay.unknown.ask": "notice.payout_unknown",
    "pay.paid_late.ask": "notice.payout_owed",
    **{payout_reason(reason): "notice.payout_refused_for_ours" for reason in PAYOUT_NEEDS_ADMIN},
    "pay.awaits.ask": "notice.payout_approval",
    "approve.payout_approved.ask": "notice.payout_approved",
    "short.approve.payout_approved.ask": "notice.payout_approved",
    "approve.payout_declined.ask": "pay.declined.ask",
    "batch_approval.asked": "notice.batch_approval",
    "approve.batch_approved.ask": "notice.batch_approved",
    "short.approve.batch_approved.ask": "notice.batch_approved",
    "approve.batch_declined.ask": "batch.declined.ask",
    "short.approve.batch_declined.ask": "batch.declined.ask",
    "settings.second.ask": "notice.second_set",
    "settings.number_changed.ask": "notice.moved_phone",
    "resolve.proposed.ask": "notice.proposed",
    "adjust.proposed.ask": "notice.proposed",
    "unlink.confirm.ask": "notice.unlinked",
    "unlinking.confirm.ask": "notice.unlinked",
}


def promising() -> set[str]:
    return {
        key
        for language, pattern in PROMISES.items()
        for key, sentence in TEXTS.keys(language).items()
        if pattern.search(sentence)
    }


@cache
def named_in_code() -> frozenset[str]:
    """Every string in the program."""

    def strings() -> Iterator[str]:
        for file in BOT.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value

    return frozenset(strings())


def test_every_promise_names_the_notice_that_keeps_it() -> None:
    assert promising() == set(KEPT_BY)


@pytest.mark.parametrize("notice", sorted(set(KEPT_BY.values())))
def test_the_notice_has_words_and_some_code_sends_it(notice: str) -> None:
    assert all(TEXTS.has(language, notice) for language in TEXTS.languages)
    if notice.startswith("notice."):
        assert notice in named_in_code()
