"""Files of payouts: what a file says, a second person, a code, and how its rows go.

Its command lists the partner's batches; a file that somebody sends begins at ``read``.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Call, Choose, Code, Confirm, Do, End, Flow, Look, Option, Repeat
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.partner import Right


class BatchData(BaseModel):
    """``problem`` says what is wrong with a file that was not taken. ``available`` and ``missing``
    are set when the float is short."""

    model_config = ConfigDict(frozen=True)

    batch: Reference | None = None
    rows: int | None = None
    amount: Money | None = None
    fees: Money | None = None
    total: Money | None = None
    problem: str | None = None
    available: Money | None = None
    missing: Money | None = None


_QUOTED = ("batch", "rows", "amount", "fees", "total")
_SHORT = (*_QUOTED, "available", "missing")
_SHOWN = ("rows", "amount", "fees", "total")
_ONE_ACTS = {"stop": "stop_batch", "result": "send_batch_result"}
# What a file, or rows that are paid again, lead to.
_READ = {"check": "check", "confirm": "confirm", "short": "short", "refused": "refused"}
_READ_GIVES = {"check": ("batch", "problem"), "confirm": _QUOTED, "short": _SHORT}

BATCH = Flow(
    "batch",
    version=1,
    data=BatchData,
    start="list",
    needs=Right.MOVE_MONEY,
    operation="batch",
    cancel_use_case="cancel_batch",
    command="batches",
    in_menu=False,
    file_node="read",
    goes_on_at=("awaits", "code", "run"),
    nodes=(
        Look("list", view="batches", into="batch", to="open"),
        Do(
            "open",
            use_case="open_batch",
            args=("batch",),
            on={
                "awaits": "awaits",
                "code": "code",
                "run": "run",
                "one": "one",
                "partly": "some_failed",
                "refused": "refused",
            },
            gives={"awaits": _QUOTED, "run": _QUOTED},
        ),
        Look("one", view="batch", args=("batch",), acts=_ONE_ACTS),
        Look(
            "some_failed",
            view="batch",
            args=("batch",),
            acts=_ONE_ACTS,
            options=(Option("failed", to="again"),),
        ),
        Do(
            "result",
            use_case="send_result",
            args=("batch",),
            on={"sent": "result_sent", "refused": "refused"},
        ),
        Do("read", use_case="read_payout_file", args=(), on=_READ, gives=_READ_GIVES),
        Do("again", use_case="pay_failed_rows", args=("batch",), on=_READ, gives=_READ_GIVES),
        Choose(
            "check",
            view="batch_check",
            args=("batch", "problem"),
            options=(Option("yes", to="accept", needs="doubled_rows"),),
        ),
        Do(
            "accept",
            use_case="accept_doubled_rows",
            args=("batch",),
            on={"confirm": "confirm", "short": "short", "refused": "refused"},
            gives=_READ_GIVES,
        ),
        Choose("short", options=(Option("float", to="buy"),)),
        Call("buy", flow="float", at="quote", gives={"amount": "missing"}, to="price"),
        Do(
            "price",
            use_case="price_batch",
            args=("batch",),
            on={"confirm": "confirm", "short": "short", "refused": "refused"},
            gives=_READ_GIVES,
        ),
        Confirm("confirm", shows=_SHOWN, yes="ask", view="batch_quote", args=("batch",)),
        Do(
            "ask",
            use_case="confirm_batch",
            args=("batch",),
            operation="batch",
            on={"sent": "code", "awaits": "awaits", "short": "short", "refused": "refused"},
            gives={"short": _SHORT},
        ),
        Confirm(
            "awaits",
            shows=_SHOWN,
            yes="ask",
            waits_for_others=True,
            view="batch_approval",
            args=("batch",),
        ),
        Code(
            "code",
            use_case="check_batch_code",
            status_use_case="batch_code_stands",
            operation="batch",
            on={
                "right": "run",
                "otp_expired": "expired",
                "otp_locked": "locked",
                "number_locked": "number_locked",
                "cancelled": "over",
                "declined": "declined",
                "refused": "refused",
            },
            acts={"resend": "resend_batch_code"},
        ),
        # The code held the float of every row: from here on nothing moves that was not approved.
        Do(
            "run",
            use_case="run_batch",
            args=("batch",),
            operation="batch",
            on={
                "done": "done",
                "partly": "partly",
                "stopped": "stopped",
                "unknown": "over",
                "refused": "refused",
            },
            acts={"stop": "stop_batch", "check": "check_batch"},
            status_use_case="batch_stands",
        ),
        End("done", repeats=("result",), opens=("batch",)),
        End("partly", repeats=("result", "failed"), opens=("batch",)),
        End("stopped", repeats=("result", "failed"), opens=("batch",)),
        End("result_sent", opens=("batch",)),
        End("expired", opens=("batch",)),
        End("locked", opens=("batch",)),
        End("number_locked", opens=("balance",)),
        End("over", opens=("batch",)),
        End("declined", opens=("batch",)),
        End("refused", opens=("batch",)),
    ),
    repeats={
        "result": (Repeat(at="result", fills=("batch",)),),
        "failed": (Repeat(at="again", fills=("batch",)),),
    },
)
