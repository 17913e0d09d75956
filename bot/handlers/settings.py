"""Handlers and views of the settings flow."""

from __future__ import annotations

from bot.context import TurnContext
from bot.handlers.declaring import Handlers
from flows.engine.host import Exit, View
from services import desk_pins, preferences
from services.domain.money import Money
from services.domain.notification import ChatMode, NotificationKind, NotificationPreference
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal

HANDLERS = Handlers()

PHONES_SHOWN = 3


@HANDLERS.use_case("set_wallet_mark", needs=Right.MOVE_MONEY, while_suspended=True)
def set_wallet_mark(turn: TurnContext, wallet_mark: Money) -> Exit | Refusal:
    refusal = preferences.set_thresholds(turn.tx, turn.person.partner, wallet=wallet_mark)
    return refusal or _saved(turn)


@HANDLERS.use_case("set_float_mark", needs=Right.MOVE_MONEY, while_suspended=True)
def set_float_mark(turn: TurnContext, float_mark: Money) -> Exit | Refusal:
    refusal = preferences.set_thresholds(turn.tx, turn.person.partner, float_=float_mark)
    return refusal or _saved(turn)


@HANDLERS.use_case("set_notice", needs=Right.MOVE_MONEY, while_suspended=True)
def set_notification(turn: TurnContext, kind: str, choice: str) -> Exit:
    preferences.set_notice(turn.tx, turn.person, NotificationKind(kind), choice)
    return _saved(turn)


@HANDLERS.use_case("set_second", needs=Right.SET_RULES)
def set_approval_threshold(turn: TurnContext, second_above: Money) -> Exit | Refusal:
    return _set_threshold(turn, second_above)


@HANDLERS.use_case("clear_second", needs=Right.SET_RULES)
def clear_approval_threshold(turn: TurnContext) -> Exit | Refusal:
    return _set_threshold(turn, None)


def _set_threshold(turn: TurnContext, above: Money | None) -> Exit | Refusal:
    """Notify everybody who may buy or approve, since this safeguard protects them all."""
    seconds = preferences.set_approval_threshold(turn.tx, turn.app.policy, turn.person, above)
    if isinstance(seconds, Refusal):
        return seconds
    person, partner = turn.person, turn.person.partner.code
    cents = None if above is None else above.cents
    turn.audit(partner, "second_person_set", f"partner:{partner}", {"above": cents})
    key = "notice.second_cleared" if above is None else "notice.second_set"
    for second in seconds:
        turn.notify_person(second, key, {"who": person.name, "above": above}, opens="settings")
    return _saved(turn)


@HANDLERS.use_case("set_language", needs=Right.VIEW)
def set_language(turn: TurnContext, language: str) -> Exit | Refusal:
    preferences.set_language(turn.tx, turn.person, language)
    turn.reload()
    return _saved(turn)


@HANDLERS.use_case("forget_phone", needs=Right.VIEW)
def forget_phone(turn: TurnContext, phone: Phone) -> Exit | Refusal:
    preferences.forget_phone(turn.tx, turn.person, phone)
    return _saved(turn)


def _saved(turn: TurnContext) -> Exit:
    turn.reload()
    return Exit("saved", above=turn.say("settings.saved"))


# Views ----------------------------------------------------------------------------------------


@HANDLERS.view(
    "settings",
    needs=Right.VIEW,
    shows=(
        "email",
        "float_mark",
        "language",
        "notices",
        "number",
        "partner",
        "payouts",
        "phones",
        "pin",
        "second",
        "wallet_mark",
    ),
)
def settings(turn: TurnContext) -> View:
    partner = turn.person.partner
    return View(
        {
            "partner": partner.code,
            "wallet_mark": _mark(turn, partner.low_balance_cents, partner.currency),
            "float_mark": _mark(turn, partner.low_float_cents, partner.currency),
            "notices": _preference_lines(turn),
            "language": turn.say(f"settings.language.{turn.person.language}"),
            "phones": _phones(turn),
            "second": _threshold(turn),
            "pin": turn.say(f"settings.menu.{_pin(turn)}"),
            "payouts": _frozen(turn),
            "number": turn.person.phone,
            "email": turn.person.email or turn.say("settings.menu.no_mail"),
        }
    )


@HANDLERS.view("notices", needs=Right.VIEW, shows=("notices",))
def notification_preferences(turn: TurnContext) -> View:
    return View({"notices": _preference_lines(turn)})


@HANDLERS.view("notice", needs=Right.VIEW, shows=("by_sms", "notice", "to_owners"))
def notification_preference(turn: TurnContext, kind: str) -> View:
    partner = turn.person.partner.code
    chosen = turn.tx.notification_preferences.get(partner, NotificationKind(kind))
    return View(
        {
            "notice": _preference_line(turn, chosen),
            "by_sms": _switch(turn, is_on=chosen.sms),
            "to_owners": _switch(turn, is_on=chosen.owners),
        }
    )


def _switch(turn: TurnContext, *, is_on: bool) -> str:
    return turn.say("settings.switch.on" if is_on else "settings.switch.off")


@HANDLERS.view("phones", needs=Right.VIEW, shows=("phones",))
def phones(turn: TurnContext) -> View:
    return View({"phones": _phones(turn)})


def _pin(turn: TurnContext) -> str:
    pin = desk_pins.find(turn.tx, turn.person)
    if pin is None:
        return "pin_none"
    return "pin_locked" if pin.is_locked else "pin_set"


def _frozen(turn: TurnContext) -> str:
    """A line of its own while payouts are frozen."""
    since = turn.person.partner.payouts_frozen_at
    return "" if since is None else turn.say("settings.menu.payouts_frozen", {"at": since})


def _threshold(turn: TurnContext) -> str:
    partner = turn.person.partner
    above = partner.approve_above_cents
    if above is None:
        return turn.say("settings.menu.no_second")
    return turn.say("settings.menu.above", {"amount": Money(above, partner.currency)})


def _mark(turn: TurnContext, cents: int, currency: str) -> str:
    return str(Money(cents, currency)) if cents else turn.say("settings.menu.no_mark")


def _preference_lines(turn: TurnContext) -> str:
    partner = turn.person.partner.code
    return "\n".join(
        _preference_line(turn, turn.tx.notification_preferences.get(partner, kind))
        for kind in NotificationKind
    )


def _preference_line(turn: TurnContext, chosen: NotificationPreference) -> str:
    only_sms = chosen.sms and chosen.chat is ChatMode.OFF
    choices = [turn.say(f"settings.said.{'sms_only' if only_sms else chosen.chat}")]
    choices += [turn.say("settings.said.sms")] if chosen.sms and not only_sms else []
    choices += [turn.say("settings.said.owners")] if chosen.owners else []
    kind = turn.say(f"settings.notices.{chosen.kind.replace('_', '-')}")
    return turn.say("settings.said.line", {"kind": kind, "said": ", ".join(choices)})


def _phones(turn: TurnContext) -> str:
    own = turn.person.phone
    usual = turn.tx.topups.recent_phones(turn.person.id, PHONES_SHOWN + 1)
    others = [str(phone) for phone in usual if phone != own][:PHONES_SHOWN]
    return ", ".join(others) or turn.say("settings.phones.none")
