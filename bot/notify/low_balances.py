"""Alerts that a balance has fallen below its mark, sent as the partner has chosen."""

from __future__ import annotations

from bot.context import AppContext
from bot.notify.outcomes import linked_initiator
from bot.outbox.carriers import SMS, buttons_to_json
from flows.engine.event import Button
from flows.engine.taps import UNBOUND
from flows.engine.texts import Texts
from services import alerts
from services.alerts import LowBalance
from services.domain.money import Money
from services.domain.notification import ChatMode, NotificationKind, NotificationPreference
from services.domain.outbox import OutboxRow
from services.domain.partner import Person
from services.domain.partner_event import BALANCE_LOW
from services.domain.payout import Payout
from services.domain.spending import Spending
from services.ports import Tx

REMEDY = {NotificationKind.LOW_WALLET: "topup", NotificationKind.LOW_FLOAT: "float"}


def queue_low_balances(
    tx: Tx, context: AppContext, spending: Spending, *, begun: Spending | None = None
) -> list[OutboxRow]:
    """Queue alerts for balances that this took below their marks, and add the events. ``begun`` is
    what its person began, if that is another: the batch of a row."""
    partner = tx.people.partner(spending.partner)
    assert partner is not None
    wallet, float_ = Money(-spending.quote.total.cents), spending.quote.amount
    if isinstance(spending, Payout):
        wallet, float_ = Money(0), wallet
    lows = alerts.newly_low(tx, partner, wallet=wallet, float_=float_)
    rows: list[OutboxRow] = []
    for low in lows:
        which = "wallet" if low.kind is NotificationKind.LOW_WALLET else "float"
        data = {
            "account": which,
            "balance": low.balance.decimal,
            "threshold": low.threshold.decimal,
        }
        tx.partner_events.add(partner.code, BALANCE_LOW, data)
        preference = tx.notification_preferences.get(partner.code, low.kind)
        told = _told(tx, context, begun or spending, owners=preference.owners)
        for account, person in told.items():
            rows += _alert(tx, context.texts, low, preference, person, account)
    return rows


def _told(
    tx: Tx, context: AppContext, spending: Spending, *, owners: bool
) -> dict[tuple[str, str], Person]:
    """The accounts that hear of it: that of who spent it, and all of the owners' if they chose
    so."""
    told = {}
    buyer = linked_initiator(tx, spending)
    account = context.account_to_tell(tx, spending.channel, spending.address)
    if buyer is not None and account is not None:
        told[account] = buyer
    if owners:
        for owner in tx.people.owners(spending.partner):
            told |= dict.fromkeys(context.accounts_to_tell(tx, owner), owner)
    return told


def _alert(
    tx: Tx,
    texts: Texts,
    low: LowBalance,
    preference: NotificationPreference,
    person: Person,
    account: tuple[str, str],
) -> list[OutboxRow]:
    """Queue one alert, with a button that opens the flow that raises the balance again."""
    rows = []
    facts = {"partner": person.partner.code, "mark": low.threshold, "balance": low.balance}
    text = texts.say(person.language, f"notice.{low.kind}", facts)
    in_chat = preference.chat is not ChatMode.OFF
    if in_chat:
        remedy = REMEDY[low.kind]
        button = Button(remedy, texts.say(person.language, f"menu.{remedy}"))
        rows.append(
            tx.outbox.add(
                *account,
                kind="notice",
                text=text,
                rows=buttons_to_json(((button,),)),
                turn=UNBOUND,
                silent=preference.chat is ChatMode.SILENT,
            )
        )
    if preference.sms and not (in_chat and account[0] == SMS):
        rows.append(tx.outbox.add(SMS, person.phone.msisdn, kind="notice", text=text))
    return rows
