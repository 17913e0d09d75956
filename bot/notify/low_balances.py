"""Alerts that a balance has fallen below its mark, sent as the partner has chosen."""

from __future__ import annotations

from bot.notify.outcomes import linked_initiator
from bot.outbox.carriers import SMS, buttons_to_json
from flows.engine.engine import UNBOUND
from flows.engine.event import Button
from flows.engine.texts import Texts
from services import alerts
from services.alerts import LowBalance
from services.domain.float_purchase import Purchase
from services.domain.money import Money
from services.domain.notification import ChatMode, NotificationKind, NotificationPreference
from services.domain.outbox import OutboxRow
from services.ports import Tx

REMEDY = {NotificationKind.LOW_WALLET: "topup", NotificationKind.LOW_FLOAT: "float"}


def queue_low_balances(tx: Tx, texts: Texts, purchase: Purchase) -> list[OutboxRow]:
    """Queue alerts for balances that this purchase took below their marks."""
    partner = tx.people.partner(purchase.partner)
    assert partner is not None
    quote = purchase.quote
    lows = alerts.newly_low(tx, partner, wallet=Money(-quote.total.cents), float_=quote.amount)
    rows: list[OutboxRow] = []
    for low in lows:
        preference = tx.notification_preferences.get(partner.code, low.kind)
        is_linked = linked_initiator(tx, purchase) is not None
        accounts = [(purchase.channel, purchase.address)] if is_linked else []
        if preference.owners:
            for owner in tx.people.owners(partner.code):
                accounts += tx.people.addresses(owner.id)
        for channel, address in dict.fromkeys(accounts):
            rows += _alert(tx, texts, low, preference, channel, address)
    return rows


def _alert(
    tx: Tx,
    texts: Texts,
    low: LowBalance,
    preference: NotificationPreference,
    channel: str,
    address: str,
) -> list[OutboxRow]:
    """Queue one alert, with a button that opens the flow that raises the balance again."""
    person = tx.people.at(channel, address)
    if person is None:
        return []
    rows = []
    facts = {"partner": person.partner.code, "mark": low.threshold, "balance": low.balance}
    text = texts.say(person.language, f"notice.{low.kind}", facts)
    if preference.chat is not ChatMode.OFF:
        remedy = REMEDY[low.kind]
        button = Button(remedy, texts.say(person.language, f"menu.{remedy}"))
        rows.append(
            tx.outbox.add(
                channel,
                address,
                kind="notice",
                text=text,
                rows=buttons_to_json(((button,),)),
                turn=UNBOUND,
                silent=preference.chat is ChatMode.SILENT,
            )
        )
    if preference.sms:
        rows.append(tx.outbox.add(SMS, person.phone.msisdn, kind="notice", text=text))
    return rows
