"""A partner's keys to the HTTP API: list, create, rotate, revoke."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.engine.nodes import Ask, Choose, Confirm, Do, End, Flow, Option
from flows.parsers.people import KnownPartner
from services.domain.partner import Right


class ApiKeysData(BaseModel):
    """``scopes`` are separated by blanks, ``days`` is a new key's lifetime; ``key`` is an id, never
    the key itself, and ``new`` the id of its successor."""

    model_config = ConfigDict(frozen=True)

    code: str | None = None
    key: str | None = None
    new: str | None = None
    scopes: str | None = None
    days: str | None = None


API_KEYS = Flow(
    "apikey",
    version=2,
    compatible_versions=(1,),
    data=ApiKeysData,
    start="code",
    needs=Right.ADMIN,
    in_menu=False,
    takes_argument=True,
    nodes=(
        Ask("code", into="code", parse=KnownPartner(), suggest="codes", to="list"),
        Choose(
            "list",
            view="api_keys",
            args=("code",),
            options=(Option("new", to="scopes"),),
            suggest="living_api_keys",
            into="key",
            to="one",
        ),
        Choose(
            "scopes",
            options=(
                Option("read", to="days", puts={"scopes": "read"}),
                Option("move", to="days", puts={"scopes": "float read topup"}),
                Option("events", to="days", puts={"scopes": "read webhooks"}),
                Option("pay", to="days", puts={"scopes": "payout read webhooks"}),
                Option("all", to="days", puts={"scopes": "float payout read topup webhooks"}),
            ),
        ),
        Choose(
            "days",
            options=tuple(
                Option(f"d{days}", to="confirm", puts={"days": days})
                for days in ("30", "90", "365")
            ),
        ),
        Confirm(
            "confirm",
            shows=("code", "scopes", "days"),
            yes="make",
            edit={"scopes": "scopes", "days": "days"},
        ),
        Do(
            "make",
            use_case="make_api_key",
            args=("code", "scopes", "days"),
            on={"made": "made", "refused": "refused"},
            gives={"made": ("key",)},
        ),
        Choose(
            "one",
            view="api_key",
            args=("key",),
            options=(Option("revoke", to="sure"), Option("rotate", to="renew")),
        ),
        Confirm("renew", shows=("key", "code"), yes="rotate", view="api_key", args=("key",)),
        Do(
            "rotate",
            use_case="rotate_api_key",
            args=("key",),
            on={"rotated": "rotated", "refused": "refused"},
            gives={"rotated": ("new",)},
        ),
        Confirm("sure", shows=("key", "code"), yes="revoke"),
        Do(
            "revoke",
            use_case="revoke_api_key",
            args=("key",),
            on={"done": "revoked", "refused": "refused"},
        ),
        End("made"),
        End("rotated"),
        End("revoked"),
        End("refused"),
    ),
)
