"""Manual decisions about money: one admin proposes, another approves."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Choose, Confirm, Do, End, Flow, Look, Option
from flows.parsers.people import KnownPartner, SingleLine
from flows.parsers.terms import OperationReference
from flows.parsers.values import Amount
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.proposal import REASON_LEAST, REASON_MOST

_REASON = SingleLine(REASON_LEAST, REASON_MOST)
_PROPOSED = {"proposed": "proposed", "refused": "refused"}


def _options(field: str, *values: str, to: str) -> tuple[Option, ...]:
    return tuple(Option(value, to=to, puts={field: value}) for value in values)


def _fits(name: str, to: str) -> Do:
    return Do(
        name,
        use_case="find_match",
        args=("reference", "topup"),
        on={"found": to, "again": "topup", "refused": "refused"},
        gives={"found": ("code",)},
    )


class ResolveData(BaseModel):
    model_config = ConfigDict(frozen=True)

    reference: Reference | None = None
    code: str | None = None
    amount: Money | None = None
    outcome: str | None = None
    topup: Reference | None = None
    reason: str | None = None
    proposal: Reference | None = None


RESOLVE = Flow(
    "resolve",
    version=3,
    compatible_versions=(1, 2),
    data=ResolveData,
    start="reference",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask(
            "reference",
            into="reference",
            parse=OperationReference(),
            suggest="unknowns",
            to="find",
        ),
        Do(
            "find",
            use_case="find_unknown",
            args=("reference",),
            on={
                "found": "outcome",
                "suspended": "payment",
                "finding": "finding",
                "refused": "refused",
            },
            gives={"found": ("code", "amount"), "suspended": ("amount",)},
        ),
        Choose(
            "outcome",
            view="unknown",
            args=("reference",),
            options=_options("outcome", "paid", "failed", to="reason"),
        ),
        Ask("reason", into="reason", parse=_REASON, to="confirm", free_text=True),
        Confirm(
            "confirm",
            shows=("reference", "code", "amount", "outcome", "reason"),
            yes="propose",
            edit={"outcome": "outcome", "reason": "reason"},
        ),
        Do(
            "propose",
            use_case="propose_resolution",
            args=("reference", "outcome", "reason"),
            on=_PROPOSED,
            gives={"proposed": ("proposal",)},
            money=True,
        ),
        # Money in suspense.
        Choose(
            "payment",
            view="suspended",
            args=("reference",),
            options=(Option("assign", to="owner"), Option("match", to="topup")),
        ),
        Ask("owner", into="code", parse=KnownPartner(), suggest="codes", to="why"),
        Ask("why", into="reason", parse=_REASON, to="give", free_text=True),
        Confirm(
            "give",
            shows=("reference", "code", "amount", "reason"),
            yes="assign",
            edit={"code": "owner", "reason": "why"},
        ),
        Do(
            "assign",
            use_case="propose_assignment",
            args=("reference", "code", "reason"),
            on=_PROPOSED,
            gives={"proposed": ("proposal",)},
            money=True,
        ),
        Ask("topup", into="topup", parse=OperationReference(), to="fits"),
        _fits("fits", to="proof"),
        Ask("proof", into="reason", parse=_REASON, to="belongs", free_text=True),
        Confirm(
            "belongs",
            shows=("reference", "amount", "topup", "code", "reason"),
            yes="match",
            edit={"topup": "topup", "reason": "proof"},
            after_edit="fits_too",
        ),
        _fits("fits_too", to="belongs"),
        Do(
            "match",
            use_case="propose_match",
            args=("reference", "topup", "reason"),
            on=_PROPOSED,
            gives={"proposed": ("proposal",)},
            money=True,
        ),
        # Findings that need a review but move no money.
        Choose(
            "finding",
            view="finding",
            args=("reference",),
            options=(Option("dismiss", to="note"),),
        ),
        Ask("note", into="reason", parse=_REASON, to="close", free_text=True),
        Confirm("close", shows=("reference", "reason"), yes="dismiss", edit={"reason": "note"}),
        Do(
            "dismiss",
            use_case="propose_dismissal",
            args=("reference", "reason"),
            on=_PROPOSED,
            gives={"proposed": ("proposal",)},
            money=True,
        ),
        End("proposed"),
        End("refused"),
    ),
)


class AdjustData(BaseModel):
    model_config = ConfigDict(frozen=True)

    code: str | None = None
    direction: str | None = None
    amount: Money | None = None
    reason: str | None = None
    proposal: Reference | None = None


ADJUST = Flow(
    "adjust",
    version=1,
    data=AdjustData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="direction"),
        Choose(
            "direction",
            view="partner",
            args=("code",),
            options=_options("direction", "credit", "debit", to="amount"),
        ),
        Ask("amount", into="amount", parse=Amount("adjustment", cents=True), to="reason"),
        Ask("reason", into="reason", parse=_REASON, to="confirm", free_text=True),
        Confirm(
            "confirm",
            shows=("code", "direction", "amount", "reason"),
            yes="propose",
            edit={"direction": "direction", "amount": "amount", "reason": "reason"},
        ),
        Do(
            "propose",
            use_case="propose_adjustment",
            args=("code", "direction", "amount", "reason"),
            on=_PROPOSED,
            gives={"proposed": ("proposal",)},
            money=True,
        ),
        End("proposed"),
        End("refused"),
    ),
)


class DecidingData(BaseModel):
    """``choice`` is approve or decline; the other fields are the proposal's."""

    model_config = ConfigDict(frozen=True)

    proposal: Reference | None = None
    choice: str | None = None
    code: str | None = None
    about: str | None = None
    outcome: str | None = None
    amount: Money | None = None
    reason: str | None = None


_SAID = ("code", "about", "outcome", "amount", "reason")

# Its command is /approvals, which opens another flow for partners' people.
DECIDING = Flow(
    "deciding",
    version=1,
    data=DecidingData,
    start="list",
    needs=Right.ADMIN,
    in_menu=False,
    command="approvals",
    counted_by="proposals",
    nodes=(
        Look("list", view="proposals", into="proposal", to="one"),
        Choose(
            "one",
            view="proposal",
            args=("proposal",),
            options=_options("choice", "approve", "decline", to="open"),
        ),
        Do(
            "open",
            use_case="open_proposal",
            args=("proposal", "choice"),
            on={"approve": "approve", "decline": "decline", "refused": "refused"},
            gives={"approve": _SAID, "decline": _SAID},
        ),
        Confirm("approve", shows=("proposal", *_SAID), yes="do"),
        Confirm("decline", shows=("proposal", *_SAID), yes="drop"),
        Do(
            "do",
            use_case="approve_proposal",
            args=("proposal", *_SAID),
            on={"approved": "approved", "refused": "refused"},
            money=True,
        ),
        Do(
            "drop",
            use_case="decline_proposal",
            args=("proposal",),
            on={"declined": "declined", "refused": "refused"},
        ),
        End("approved"),
        End("declined"),
        End("refused"),
    ),
)
