"""Settings of a partner and of a person."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows import proving
from flows.engine.nodes import Ask, Call, Choose, Code, Do, End, Flow, Option
from flows.parsers.values import Amount, KenyanMobile, MailAddress
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.notification import NotificationKind
from services.domain.partner import Right
from services.domain.phone import Phone


class SettingsData(BaseModel):
    model_config = ConfigDict(frozen=True)

    wallet_mark: Money | None = None
    float_mark: Money | None = None
    kind: str | None = None
    choice: str | None = None
    language: str | None = None
    phone: Phone | None = None
    new_phone: Phone | None = None
    email: str | None = None
    second_above: Money | None = None
    change: Reference | None = None  # reference of a change that waits for its code


_SAVED = {"saved": "menu", "refused": "refused"}
_ASKED_AT = {
    NotificationKind.LOW_WALLET: "notice",
    NotificationKind.LOW_FLOAT: "notice",
    NotificationKind.TOPUP_PAID: "paid",
    NotificationKind.DIGEST: "digest",
}


def _notice(node: str, *choices: str) -> Choose:
    """Asks how one kind of notice should be delivered."""
    options = tuple(Option(choice, to="set_notice", puts={"choice": choice}) for choice in choices)
    return Choose(node, view="notice", args=("kind",), options=options)


def _proof(node: str, field: str, changed: str) -> Code:
    """A new number or address counts once the code sent to it was typed."""
    return Code(
        node,
        use_case=f"check_{node}",
        status_use_case="contact_code_stands",
        operation="change",
        args=(field,),
        on={"right": changed, **proving.EXITS},
        acts={"resend": "resend_contact_code"},
    )


SETTINGS = Flow(
    "settings",
    version=4,
    compatible_versions=(1, 2, 3),
    data=SettingsData,
    start="menu",
    takes_values=False,
    ussd=True,
    operation="change",
    cancel_use_case="cancel_contact",
    nodes=(
        Choose(
            "menu",
            view="settings",
            is_menu=True,
            options=(
                Option("wallet", to="wallet_mark", right=Right.MOVE_MONEY, ussd=False),
                Option("float", to="float_mark", right=Right.MOVE_MONEY, ussd=False),
                Option("notices", to="notices", right=Right.MOVE_MONEY, ussd=False),
                Option("language", to="language"),
                Option("phones", to="phones", ussd=False),
                Option("number", to="number", ussd=False),
                Option("mail", to="mail", ussd=False),
                Option("second", to="second", right=Right.SET_RULES, ussd=False),
                Option("pin", to="pin", right=Right.MOVE_MONEY, ussd=False),
                Option(
                    "freeze-payouts",
                    to="freeze_payouts",
                    right=Right.SET_RULES,
                    needs="payouts_running",
                    ussd=False,
                ),
                Option(
                    "thaw-payouts",
                    to="thaw",
                    right=Right.SET_RULES,
                    needs="payouts_frozen",
                    ussd=False,
                ),
                Option("ceiling", to="ceiling", right=Right.SET_RULES, ussd=False),
            ),
        ),
        Ask("wallet_mark", into="wallet_mark", parse=Amount("mark"), to="set_wallet_mark"),
        Do("set_wallet_mark", use_case="set_wallet_mark", args=("wallet_mark",), on=_SAVED),
        Ask("float_mark", into="float_mark", parse=Amount("mark"), to="set_float_mark"),
        Do("set_float_mark", use_case="set_float_mark", args=("float_mark",), on=_SAVED),
        Choose(
            "notices",
            view="notices",
            is_menu=True,
            options=tuple(
                Option(kind.value.replace("_", "-"), to=node, puts={"kind": kind.value})
                for kind, node in _ASKED_AT.items()
            ),
        ),
        _notice("notice", "on", "silent", "off", "sms", "owners"),
        _notice("paid", "sms"),  # the receipt is always in the chat
        _notice("digest", "on", "silent", "off", "sms"),  # always goes to owners
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
            is_menu=True,
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
        Ask("number", into="new_phone", parse=KenyanMobile(), to="send_number_code"),
        Do(
            "send_number_code",
            use_case="ask_number",
            args=("new_phone",),
            on={"sent": "number_code", "refused": "refused"},
            gives={"sent": ("change",)},
        ),
        _proof("number_code", "new_phone", "number_changed"),
        Ask("mail", into="email", parse=MailAddress(), to="send_mail_code"),
        Do(
            "send_mail_code",
            use_case="ask_mail",
            args=("email",),
            on={"sent": "mail_code", "refused": "refused"},
            gives={"sent": ("change",)},
        ),
        _proof("mail_code", "email", "mail_changed"),
        Choose(
            "second",
            options=(Option("nobody", to="clear_second"),),
            typed="second_above",
        ),
        Ask("second_above", into="second_above", parse=Amount("mark"), to="set_second"),
        Do("set_second", use_case="set_second", args=("second_above",), on=_SAVED),
        Do("clear_second", use_case="clear_second", args=(), on=_SAVED),
        Call("pin", flow="pin", gives={}),
        Do("freeze_payouts", use_case="freeze_payouts", args=(), on=_SAVED),
        Call("thaw", flow="thaw", gives={}),
        Call("ceiling", flow="ceiling", gives={}),
        End("number_changed", opens=("settings",)),
        End("mail_changed", opens=("settings",)),
        *proving.ENDS,
        End("refused", opens=("settings",)),
    ),
)
