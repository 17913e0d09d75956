"""Owners look at their partner's keys to the HTTP API, and revoke or rotate one."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Choose, Confirm, Do, End, Flow, Option
from services.domain.ids import Reference
from services.domain.partner import Right


class KeysData(BaseModel):
    """Ids, never a key itself; ``new`` took over from ``key``."""

    model_config = ConfigDict(frozen=True)

    key: Reference | None = None
    new: str | None = None


# A key says what the partner's own systems may do without a person: a rule that its owners answer
# for, as they do for the amount above which one person needs another. Nobody is invited by it.
KEYS = Flow(
    "keys",
    version=1,
    data=KeysData,
    start="list",
    needs=Right.SET_RULES,
    in_menu=False,
    nodes=(
        Choose(
            "list",
            view="own_api_keys",
            is_menu=True,
            options=(),
            suggest="own_living_api_keys",
            into="key",
            to="one",
        ),
        Choose(
            "one",
            view="own_api_key",
            args=("key",),
            options=(Option("rotate", to="renew"), Option("revoke", to="sure")),
        ),
        Confirm("renew", shows=("key",), yes="rotate", view="own_api_key", args=("key",)),
        Do(
            "rotate",
            use_case="rotate_own_api_key",
            args=("key",),
            on={"rotated": "rotated", "refused": "refused"},
            gives={"rotated": ("new",)},
        ),
        Confirm("sure", shows=("key",), yes="revoke"),
        Do(
            "revoke",
            use_case="revoke_own_api_key",
            args=("key",),
            on={"done": "revoked", "refused": "refused"},
        ),
        End("rotated", opens=("keys",)),
        End("revoked", opens=("keys",)),
        End("refused", opens=("keys",)),
    ),
)
