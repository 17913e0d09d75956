"""Notices about a top-up: its live message, its receipt, and an SMS where the partner wants one."""

from __future__ import annotations

from datetime import timedelta

from bot.context import AppContext, queue_admin_notices
from bot.handlers import topup as topup_handlers
from bot.handlers.outcomes import outcome_facts
from bot.notify.needs_admin import queue_needs_admin
from bot.notify.outcomes import OutcomeNotices, is_awaited_by, linked_initiator
from bot.outbox.carriers import SMS
from flows.engine.session import Session
from services.domain.notification import NotificationKind
from services.domain.outbox import OutboxRow
from services.domain.topup import CREDITED, TopUp, TopUpState
from services.ports import Tx
from services.topup_settlement import ACCOUNT_REFUSED, ChangeKind, TopUpChange


def queue_topup_change(tx: Tx, outcomes: OutcomeNotices, change: TopUpChange) -> list[OutboxRow]:
    """Queue an edit of the live message, and for an outcome the receipt."""
    topup = change.topup
    if outcomes.reads_events(topup):
        return _needs_admin(tx, outcomes.context, topup)
    if change.kind is not ChangeKind.OUTCOME:
        session = outcomes.sessions.peek(tx, topup.channel, topup.address)
        return _live_message(tx, outcomes, topup, session)
    session = outcomes.sessions.load(tx, topup.channel, topup.address)
    facts = outcome_facts(tx, outcomes.engine.texts, topup)
    is_paid = topup.state is TopUpState.PAID
    goes_on = "float" if is_paid and is_awaited_by(session, "float", topup.reference) else None
    rows = outcomes.receipt(
        tx, "topup", topup, session, topup_handlers.outcome_exit(topup), facts, goes_on
    )
    receipt = rows[0] if rows else None
    rows += _live_message(tx, outcomes, topup, session)
    rows += _needs_admin(tx, outcomes.context, topup)
    if topup.state in CREDITED and receipt is not None and receipt.channel != SMS:
        rows += _paid_by_sms(tx, topup, receipt.text)
    return rows


def _live_message(
    tx: Tx, outcomes: OutcomeNotices, topup: TopUp, session: Session
) -> list[OutboxRow]:
    facts = {
        "reference": topup.reference,
        "amount": topup.amount,
        "phone": topup.phone,
        "status": topup_handlers.status(outcomes.engine.texts, topup.language, topup),
        **topup_handlers.pay_to(outcomes.context, topup),
    }
    text = "topup.expect.ask" if topup.by_hand else "topup.push.ask"
    return outcomes.live_message(tx, "topup", topup, session, text, facts)


def _needs_admin(tx: Tx, context: AppContext, topup: TopUp) -> list[OutboxRow]:
    """Where NCBA refuses our account number, a wrong setting makes every prompt fail: that is told
    once a day."""
    since = tx.now - timedelta(days=1)
    refused = tx.evidence.operations_since(ACCOUNT_REFUSED, since)
    if topup.reference not in refused:
        return queue_needs_admin(tx, context, topup)
    if refused != [topup.reference]:
        return []
    facts = {"reference": topup.reference, "template": "{account}"}
    return queue_admin_notices(tx, context, "notice.account_refused", facts)


def _paid_by_sms(tx: Tx, topup: TopUp, text: str) -> list[OutboxRow]:
    """Confirm a paid top-up by SMS as well, if the partner has chosen so."""
    person = linked_initiator(tx, topup)
    if (
        person is None
        or not tx.notification_preferences.get(topup.partner, NotificationKind.TOPUP_PAID).sms
    ):
        return []
    return [tx.outbox.add(SMS, person.phone.msisdn, kind="notice", text=text)]
