"""Handlers and views of the settings flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.context import TurnContext
from flows.engine.host import Exit, View
from services import preferences
from services.domain.money import Money
from services.domain.notification import NotificationKind, NotificationPreference
from services.domain.refusal import Refusal

PHONES_SHOWN = 3


def set_wallet_mark(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    refusal = preferences.set_thresholds(turn.tx, turn.person, wallet=args["wallet_mark"])
    return refusal or _saved(turn)


def set_float_mark(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    refusal = preferences.set_thresholds(turn.tx, turn.person, float_=args["float_mark"])
    return refusal or _saved(turn)


def set_notification(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    kind = NotificationKind(args["kind"])
    result = preferences.set_notice(turn.tx, turn.person, kind, args["choice"])
    return result if isinstance(result, Refusal) else _saved(turn)


def set_approval_threshold(
    turn: TurnContext, args: Mapping[str, Any], _: str | None
) -> Exit | Refusal:
    return _set_threshold(turn, args["second_above"])


def clear_approval_threshold(
    turn: TurnContext, _: Mapping[str, Any], __: str | None
) -> Exit | Refusal:
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


def set_language(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    preferences.set_language(turn.tx, turn.person, args["language"])
    turn.reload()
    return _saved(turn)


def forget_phone(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> Exit | Refusal:
    preferences.forget_phone(turn.tx, turn.person, args["phone"])
    return _saved(turn)


def _saved(turn: TurnContext) -> Exit:
    turn.reload()
    return Exit("saved", above=turn.say("settings.saved"))


# Views ----------------------------------------------------------------------------------------


def settings(turn: TurnContext, _: Mapping[str, Any], __: str | None) -> View:
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
            "number": turn.person.phone,
            "email": turn.person.email or turn.say("settings.menu.no_mail"),
        }
    )


def notification_preferences(turn: TurnContext, _: Mapping[str, Any], __: str | None) -> View:
    return View({"notices": _preference_lines(turn)})


def notification_preference(turn: TurnContext, args: Mapping[str, Any], _: str | None) -> View:
    kind = NotificationKind(args["kind"])
    return View(
        {
            "notice": _preference_line(
                turn, turn.tx.notification_preferences.get(turn.person.partner.code, kind)
            )
        }
    )


def phones(turn: TurnContext, _: Mapping[str, Any], __: str | None) -> View:
    return View({"phones": _phones(turn)})


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
    choices = [turn.say(f"settings.said.{chosen.chat}")]
    choices += [turn.say("settings.said.sms")] if chosen.sms else []
    choices += [turn.say("settings.said.owners")] if chosen.owners else []
    kind = turn.say(f"settings.notices.{chosen.kind.replace('_', '-')}")
    return turn.say("settings.said.line", {"kind": kind, "said": ", ".join(choices)})


def _phones(turn: TurnContext) -> str:
    own = turn.person.phone
    usual = turn.tx.topups.recent_phones(turn.person.id, PHONES_SHOWN + 1)
    others = [str(phone) for phone in usual if phone != own][:PHONES_SHOWN]
    return ", ".join(others) or turn.say("settings.phones.none")
