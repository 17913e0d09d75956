"""Searching operations, pending work and the audit log, over all partners."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from flows.engine.host import Host
from flows.engine.nodes import Ask, Do, End, Flow, Look
from flows.parsers.values import read_mobile
from services.domain.ids import Reference
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal

SEARCH_TERM_MAX = 64  # characters; the longest bank id seen has 36

_SOUGHT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{3,}")


@dataclass(frozen=True)
class SearchTerm:
    """A reference, a bank's id, a receipt, a phone or its last four digits; kept as typed, since
    banks' ids are case-sensitive."""

    def __call__(self, text: str, host: Host) -> str | Refusal:
        typed = text.strip()
        if len(typed) <= SEARCH_TERM_MAX and _SOUGHT.fullmatch(typed):
            return typed
        phone = read_mobile(typed)
        return phone.msisdn if isinstance(phone, Phone) else Refusal("not_sought")


class FindData(BaseModel):
    model_config = ConfigDict(frozen=True)

    what: str | None = None
    reference: Reference | None = None


# Who is asked is said in two ways: the bank, or M-PESA about a payout.
ASKS = {"check": "ask_bank", "check-payout": "ask_bank"}

_TIMELINE = Look("timeline", view="timeline", args=("reference",), acts=ASKS)

FIND = Flow(
    "find",
    version=1,
    data=FindData,
    start="what",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask("what", into="what", parse=SearchTerm(), to="search"),
        Do(
            "search",
            use_case="search",
            args=("what",),
            on={"one": "timeline", "many": "list", "refused": "refused"},
            gives={"one": ("reference",)},
        ),
        Look("list", view="found", args=("what",), into="reference", to="timeline"),
        _TIMELINE,
        End("refused"),
    ),
)


class PendingData(BaseModel):
    model_config = ConfigDict(frozen=True)

    reference: Reference | None = None


PENDING = Flow(
    "pending",
    version=2,
    compatible_versions=(1,),
    data=PendingData,
    start="list",
    needs=Right.ADMIN,
    in_menu=False,
    counted_by="pending",
    nodes=(
        Look(
            "list",
            view="pending",
            item_acts=ASKS,
            into="reference",
            to="timeline",
        ),
        _TIMELINE,
    ),
)


class AuditData(BaseModel):
    model_config = ConfigDict(frozen=True)


AUDIT = Flow(
    "audit",
    version=1,
    data=AuditData,
    start="list",
    needs=Right.ADMIN,
    in_menu=False,
    nodes=(Look("list", view="audit"),),
)
