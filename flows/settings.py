"""What a partner and a person choose for themselves."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.nodes import Ask, Choose, Do, End, Flow, Option
from flows.parse import Amount
from services.domain.money import Money
from services.domain.notify import NoticeKind
from services.domain.phone import Phone


class SettingsData(BaseModel):
    model_config = ConfigDict(frozen=True)

    wallet_mark: Money | None = None
    float_mark: Money | None = None
    kind: str | None = None
    choice: str | None = None
    language: str | None = None
    phone: Phone | None = None


_SAVED = {"saved": "menu", "refused": "refused"}
_ASKED_AT = {
    NoticeKind.LOW_WALLET: "notice",
    NoticeKind.LOW_FLOAT: "notice",
    NoticeKind.TOPUP_PAID: "paid",
    NoticeKind.DIGEST: "digest",
}


def _notice(node: str, *choices: str) -> Choose:
    """How one kind of notice is wanted."""
    options = tuple(Option(choice, to="set_notice", puts={"choice": choice}) for choice in choices)
    return Choose(node, view="notice", args=("kind",), options=options)


SETTINGS = Flow(
    "settings",
    version=1,
    data=SettingsData,
    start="menu",
    nodes=(
        Choose(
            "menu",
            view="settings",
            options=(
                Option("wallet", to="wallet_mark"),
                Option("float", to="float_mark"),
                Option("notices", to="notices"),
                Option("language", to="language"),
                Option("phones", to="phones"),
            ),
        ),
        Ask("wallet_mark", into="wallet_mark", parse=Amount("mark"), to="set_wallet_mark"),
        Do("set_wallet_mark", use_case="set_wallet_mark", args=("wallet_mark",), on=_SAVED),
        Ask("float_mark", into="float_mark", parse=Amount("mark"), to="set_float_mark"),
        Do("set_float_mark", use_case="set_float_mark", args=("float_mark",), on=_SAVED),
        Choose(
            "notices",
            view="notices",
            options=tuple(
                Option(kind.value.replace("_", "-"), to=node, puts={"kind": kind.value})
                for kind, node in _ASKED_AT.items()
            ),
        ),
        _notice("notice", "on", "silent", "off", "sms", "owners"),
        _notice("paid", "sms"),  # the receipt is in the chat anyway
        _notice("digest", "on", "silent", "off", "sms"),  # goes to owners anyway
        Do(
            "set_notice",
            use_case="set_notice",
            args=("kind", "choice"),
            on={"saved": "notices", "refused": "refused"},
        ),
        Choose(
            "language",
            options=(
                Option("en", to="set_language", puts={"language": "en"}),
                Option("sw", to="set_language", puts={"language": "sw"}),
            ),
        ),
        Do("set_language", use_case="set_language", args=("language",), on=_SAVED),
        Choose(
            "phones",
            view="phones",
            options=(),
            suggest="phones",
            into="phone",
            to="forget_phone",
        ),
        Do(
            "forget_phone",
            use_case="forget_phone",
            args=("phone",),
            on={"saved": "phones", "refused": "refused"},
        ),
        End("refused"),
    ),
)
