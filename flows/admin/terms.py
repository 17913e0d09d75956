"""A partner's terms: fees, limits and the low-balance mark."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Choose, Confirm, Do, End, Flow, Option
from flows.parsers.people import KnownPartner
from flows.parsers.terms import FeeTerms, PartnerOrDesk
from flows.parsers.values import Amount
from services.domain.fees import Fee, FeeKind
from services.domain.limits import BUYING_LIMITS, PAYOUT_LIMITS, LimitName
from services.domain.money import Money
from services.domain.partner import Right

_SET = {"done": "done", "refused": "refused"}


class FeesData(BaseModel):
    """``old`` is the version in force when ``fee`` was typed, ``version`` the one that was set."""

    model_config = ConfigDict(frozen=True)

    code: str | None = None
    kind: str | None = None
    fee: Fee | None = None
    old: Fee | None = None
    version: int | None = None


FEES = Flow(
    "fees",
    version=1,
    data=FeesData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="kind"),
        Choose(
            "kind",
            view="fees",
            args=("code",),
            options=tuple(
                Option(kind.value, to=kind.value, puts={"kind": kind.value}) for kind in FeeKind
            ),
        ),
        *(Ask(kind.value, into="fee", parse=FeeTerms(kind), to="compare") for kind in FeeKind),
        Do(
            "compare",
            use_case="compare_fee",
            args=("code", "fee"),
            on={"compared": "confirm", "refused": "refused"},
            gives={"compared": ("old",)},
        ),
        Confirm("confirm", shows=("code", "kind", "old", "fee"), yes="set"),
        Do(
            "set",
            use_case="set_fee",
            args=("code", "fee", "old"),
            on=_SET,
            gives={"done": ("version",)},
        ),
        End("done"),
        End("refused"),
    ),
)


class LimitsData(BaseModel):
    """``code`` is a partner's, or DESK for all partners; ``old`` is what was in force before."""

    model_config = ConfigDict(frozen=True)

    code: str | None = None
    limit: str | None = None
    amount: Money | None = None
    old: Money | None = None


def _limits(node: str, view: str, names: Iterable[LimitName], *more: Option) -> Choose:
    options = tuple(
        Option(name.replace(".", "-"), to="amount", puts={"limit": name.value}) for name in names
    )
    return Choose(node, view=view, args=("code",), options=(*options, *more))


_PAYOUTS = Option("payouts", to="payouts")


LIMITS = Flow(
    "limits",
    version=1,
    data=LimitsData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=PartnerOrDesk(), suggest="codes", to="whose"),
        Do(
            "whose",
            use_case="whose_limits",
            args=("code",),
            on={"desk": "desk", "partner": "partner", "refused": "refused"},
        ),
        _limits("desk", "limits", (*BUYING_LIMITS, LimitName.FLOAT_DAY_DESK), _PAYOUTS),
        _limits("partner", "limits", BUYING_LIMITS, _PAYOUTS),
        _limits("payouts", "payout_limits", PAYOUT_LIMITS),
        Ask("amount", into="amount", parse=Amount("limit"), to="compare"),
        Do(
            "compare",
            use_case="compare_limit",
            args=("code", "limit", "amount"),
            on={
                "changes": "confirm",
                "first": "first",
                "again": "amount",
                "refused": "refused",
            },
            gives={"changes": ("old",)},
        ),
        Confirm(
            "confirm",
            shows=("code", "limit", "old", "amount"),
            yes="set",
            edit={"amount": "amount"},
            after_edit="compare",
        ),
        Confirm(
            "first",
            shows=("code", "limit", "amount"),
            yes="set",
            edit={"amount": "amount"},
            after_edit="compare",
        ),
        Do("set", use_case="set_limit", args=("code", "limit", "amount"), on=_SET),
        End("done"),
        End("refused"),
    ),
)


class ThresholdData(BaseModel):
    model_config = ConfigDict(frozen=True)

    code: str | None = None
    amount: Money | None = None
    old: Money | None = None


THRESHOLD = Flow(
    "threshold",
    version=1,
    data=ThresholdData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="amount"),
        Ask("amount", into="amount", parse=Amount("mark", or_none=True), to="compare"),
        Do(
            "compare",
            use_case="compare_mark",
            args=("code",),
            on={"compared": "confirm", "refused": "refused"},
            gives={"compared": ("old",)},
        ),
        Confirm(
            "confirm",
            shows=("code", "old", "amount"),
            yes="set",
            edit={"amount": "amount"},
            after_edit="compare",
        ),
        Do("set", use_case="set_mark", args=("code", "amount"), on=_SET),
        End("done"),
        End("refused"),
    ),
)
