"""Tell the person who began an operation how it goes, whether or not they still wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from bot.context import AppContext, OperationUpdate, queue_admin_notices
from bot.handlers import float as float_acts
from bot.handlers import topup as topup_acts
from bot.outbox.carriers import SMS, buttons_to_json
from bot.turns.host import TurnHost
from bot.turns.sessions import SessionCache
from flows.engine.engine import UNBOUND, Engine
from flows.engine.event import Button, Event, EventKind
from flows.engine.session import Session
from flows.engine.texts import format_value
from services import alerts, balances, float_purchases, otp
from services.alerts import LowBalance
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.money import Money
from services.domain.notification import ChatMode, NotificationKind, NotificationPreference
from services.domain.otp import Otp, OtpStatus, Purpose
from services.domain.partner import Person
from services.domain.payment import STATEMENT, RecordedPayment
from services.domain.phone import mask_phones
from services.domain.reconciliation import ReconciliationDay
from services.domain.topup import CREDITED, TopUp, TopUpState
from services.float_settlement import PurchaseChange
from services.payments import Credited, HeldInSuspense, PaymentEffect, RefusedNotification
from services.reconciliation.effects import LineEffect
from services.reversals import Reversed
from services.topup_settlement import ACCOUNT_REFUSED, ChangeKind, TopUpChange
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx


class Notifier:
    """Called in the transaction that made the change, so that it is told exactly once."""

    def __init__(self, engine: Engine, sessions: SessionCache, context: AppContext) -> None:
        self._engine = engine
        self._sessions = sessions
        self._context = context

    def outcome(self, tx: SqliteTx, effect: OperationUpdate) -> list[OutboxRow]:
        match effect:
            case PurchaseChange():
                return self.purchase(tx, effect)
            case Purchase():
                return self.purchase_refused(tx, effect)
            case TopUpChange() | Credited() | HeldInSuspense() | RefusedNotification():
                return self.payment(tx, effect)

    def topup(self, tx: SqliteTx, change: TopUpChange) -> list[OutboxRow]:
        """Queue what the change means: an edit of the live message, and each outcome once."""
        topup = change.topup
        live = {
            "reference": topup.reference,
            "amount": topup.amount,
            "phone": topup.phone,
            "status": topup_acts.status(self._engine.texts, topup.language, topup),
            **topup_acts.pay_to(self._context, topup),
        }
        live_text = "topup.expect.ask" if topup.by_hand else "topup.push.ask"
        if change.kind is not ChangeKind.OUTCOME:
            session = self._sessions.peek(tx, topup.channel, topup.address)
            return [self._live(tx, "topup", topup, session, live_text, live)]
        session = self._sessions.load(tx, topup.channel, topup.address)
        facts = self._facts(tx, topup) | {"phone": topup.phone}
        came_from = session.parked.get("float")
        waits = (
            topup.state is TopUpState.PAID
            and came_from is not None
            and came_from.node == "quote"
            and session.active is not None
            and session.active.waiting == topup.reference
        )
        rows = self._outcome(
            tx,
            "topup",
            topup,
            session,
            topup_exit(topup),
            facts,
            goes_on="float" if waits else None,
        )
        said = rows[0].text if rows else ""
        rows.append(self._live(tx, "topup", topup, session, live_text, live))
        if topup.state is TopUpState.REJECTED:
            rows += self._account_refused(tx, topup)
        if topup.state in CREDITED:
            rows += self._paid_by_sms(tx, topup, said)
        return rows

    def _account_refused(self, tx: SqliteTx, topup: TopUp) -> list[OutboxRow]:
        """Admins hear of the first of a day: a setting makes every prompt like it."""
        since = tx.now - timedelta(days=1)
        if tx.evidence.operations_since(ACCOUNT_REFUSED, since) != [topup.reference]:
            return []
        facts = {"reference": topup.reference, "template": "{account}"}
        return queue_admin_notices(tx, self._context, "notice.account_refused", facts)

    def purchase(self, tx: SqliteTx, settled: PurchaseChange) -> list[OutboxRow]:
        """Queue the outcome, once, and the edit of the live message."""
        purchase = settled.purchase
        session = self._sessions.load(tx, purchase.channel, purchase.address)
        exit_of = purchase.state.value.lower()
        rows = self._outcome(
            tx, "float", purchase, session, exit_of, self._purchase_facts(tx, purchase)
        )
        live = {
            **_quote_facts(purchase),
            "status": float_acts.status(self._engine.texts, purchase.language, purchase),
        }
        rows.append(self._live(tx, "float", purchase, session, "float.buy.ask", live))
        if purchase.state is PurchaseState.SUCCEEDED:
            rows += self._lows(tx, purchase)
        return rows

    def payment(self, tx: SqliteTx, effect: PaymentEffect) -> list[OutboxRow]:
        """Queue what a payment to the paybill led to, for whom it concerns."""
        match effect:
            case TopUpChange():
                return self.topup(tx, effect)
            case Credited(arrived):
                return self._credited(tx, arrived)
            case HeldInSuspense() | RefusedNotification() if not self._context.policy.admin_alerts:
                return []  # it stands on their list
            case HeldInSuspense(arrived):
                assert arrived.why is not None
                facts = self._payment_facts(arrived) | {"why": arrived.why.replace("_", " ")}
                return queue_admin_notices(tx, self._context, "notice.suspended", facts)
            case RefusedNotification(reference, notification):
                facts = {
                    "reference": reference,
                    "why": notification.verdict.replace("_", " "),
                    "receipt": notification.receipt or "-",
                }
                return queue_admin_notices(tx, self._context, "notice.notification_refused", facts)

    def _credited(self, tx: SqliteTx, arrived: RecordedPayment) -> list[OutboxRow]:
        """A partner's owners hear of money that came without a top-up of theirs."""
        assert arrived.partner is not None
        partner = tx.people.partner(arrived.partner)
        assert partner is not None
        facts = self._payment_facts(arrived) | {
            "partner": partner.code,
            "balance": balances.of(tx, partner).wallet.posted,
        }
        return self._to_owners(tx, partner.code, "notice.credited", facts)

    @staticmethod
    def _payment_facts(arrived: RecordedPayment) -> dict[str, Any]:
        payment = arrived.payment
        return {
            "reference": arrived.reference,
            "amount": payment.amount,
            "receipt": payment.receipt,
            "payer": payment.payer.masked,
            "account": payment.account_reference or "-",
            "at": payment.day if payment.source == STATEMENT else payment.paid_at,
        }

    def statement_line(self, tx: SqliteTx, effect: LineEffect) -> list[OutboxRow]:
        """Queue what a line of the bank's statement led to, for whom it concerns."""
        match effect:
            case PurchaseChange():
                return self.purchase(tx, effect)
            case Reversed():
                return self._reversed(tx, effect)
        return self.payment(tx, effect)

    def _reversed(self, tx: SqliteTx, reversal: Reversed) -> list[OutboxRow]:
        arrived = reversal.arrived
        facts = self._payment_facts(arrived) | {
            "reversal": reversal.reference,
            "partner": arrived.partner or "-",
            "due": reversal.due,
        }
        rows = queue_admin_notices(tx, self._context, "notice.reversed_admin", facts)
        if arrived.partner is None:
            return rows
        partner = tx.people.partner(arrived.partner)
        assert partner is not None
        facts["balance"] = balances.of(tx, partner).wallet.posted
        key = "notice.reversed_due" if reversal.due.cents else "notice.reversed"
        return rows + self._to_owners(tx, partner.code, key, facts)

    def day_reconciled(self, tx: SqliteTx, day: ReconciliationDay) -> list[OutboxRow]:
        """Queue how far a day is, for the admins: what is left over, or that nothing is."""
        say = self._engine.texts.say
        shown = [
            say(
                "en",
                "notice.reconciled.line",
                {
                    "reference": found.id,
                    "amount": found.amount,
                    "why": found.kind.replace("_", " "),
                    "about": found.about or mask_phones(found.said) or "-",
                },
            )
            for found in day.findings[:FINDINGS_SHOWN]
        ]
        facts = {
            "day": day.day,
            "lines": day.lines,
            "matched": day.matched,
            "credits": day.credits,
            "debits": day.debits,
            "count": len(day.findings),
            "findings": "\n".join(shown),
        }
        key = "notice.reconciled.open" if day.findings else "notice.reconciled.closed"
        return queue_admin_notices(tx, self._context, key, facts)

    def statement_missing(self, tx: SqliteTx, days: Sequence[date]) -> list[OutboxRow]:
        """Queue for the admins which days the bank has given no readable statement of."""
        shown = [format_value(day, "en") for day in days[:FINDINGS_SHOWN]]
        more = ["…"] if len(days) > len(shown) else []
        facts = {"days": ", ".join([*shown, *more])}
        return queue_admin_notices(tx, self._context, "notice.no_statement", facts)

    def _to_owners(
        self,
        tx: SqliteTx,
        partner: str,
        key: str,
        facts: Mapping[str, Any],
        rather: Sequence[Person] = (),
    ) -> list[OutboxRow]:
        """``rather`` hear of it, where they have an account; else the owners. Where none of them
        has one, whoever else of the partner has; else the admins, so that somebody knows."""
        for people in (rather, tx.people.owners(partner), tx.people.of(partner)):
            rows = []
            for person in people:
                text = self._engine.texts.say(person.language, key, facts)
                for channel, address in tx.people.addresses(person.id):
                    rows.append(tx.outbox.add(channel, address, kind="receipt", text=text))
            if rows:
                return rows
        return queue_admin_notices(tx, self._context, key, facts)

    def purchase_refused(self, tx: SqliteTx, purchase: Purchase) -> list[OutboxRow]:
        """Queue that it is over before the bank was asked, and why."""
        session = self._sessions.load(tx, purchase.channel, purchase.address)
        facts = self._purchase_facts(tx, purchase)
        return self._outcome(tx, "float", purchase, session, "declined", facts)

    def code_lost(self, tx: SqliteTx, otp_id: str) -> list[OutboxRow]:
        """No message with this code can arrive any more: it dies, and its person is told."""
        code = tx.otps.of_id(otp_id)
        if code is None or code.status is not OtpStatus.PENDING or tx.outbox.may_arrive(otp_id):
            return []  # one that has ended already takes nothing along: a newer one may be live
        if code.binding.purpose is not Purpose.FLOAT_PURCHASE:
            return self._conversation_code_lost(tx, code)
        purchase = float_purchases.undeliverable(tx, code.binding.operation)
        return [] if purchase is None else self.purchase_refused(tx, purchase)

    def _paid_by_sms(self, tx: SqliteTx, topup: TopUp, text: str) -> list[OutboxRow]:
        """Where the partner wants it, a paid top-up is confirmed by SMS as well."""
        person = _linked_initiator(tx, topup)
        if (
            person is None
            or not tx.notification_preferences.get(topup.partner, NotificationKind.TOPUP_PAID).sms
        ):
            return []
        return [tx.outbox.add(SMS, person.phone.msisdn, kind="notice", text=text)]

    def _lows(self, tx: SqliteTx, purchase: Purchase) -> list[OutboxRow]:
        """Tell what has become low, as the partner chose, with the remedy one tap away."""
        partner = tx.people.partner(purchase.partner)
        assert partner is not None
        quote = purchase.quote
        lows = alerts.newly_low(tx, partner, wallet=Money(-quote.total.cents), float_=quote.amount)
        rows: list[OutboxRow] = []
        for low in lows:
            notice = tx.notification_preferences.get(partner.code, low.kind)
            there = _linked_initiator(tx, purchase) is not None
            hearers = [(purchase.channel, purchase.address)] if there else []
            if notice.owners:
                for owner in tx.people.owners(partner.code):
                    hearers += tx.people.addresses(owner.id)
            for channel, address in dict.fromkeys(hearers):
                rows += self._low(tx, low, notice, channel, address)
        return rows

    def _low(
        self,
        tx: SqliteTx,
        low: LowBalance,
        notice: NotificationPreference,
        channel: str,
        address: str,
    ) -> list[OutboxRow]:
        person = tx.people.at(channel, address)
        if person is None:
            return []
        texts, rows = self._engine.texts, []
        facts = {"partner": person.partner.code, "mark": low.threshold, "balance": low.balance}
        text = texts.say(person.language, f"notice.{low.kind}", facts)
        if notice.chat is not ChatMode.OFF:
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
                    silent=notice.chat is ChatMode.SILENT,
                )
            )
        if notice.sms:
            rows.append(tx.outbox.add(SMS, person.phone.msisdn, kind="notice", text=text))
        return rows

    def _conversation_code_lost(self, tx: SqliteTx, code: Otp) -> list[OutboxRow]:
        """What it approves is only in a conversation yet: whoever waits there is told."""
        reference = code.binding.operation
        otp.revoke(tx, reference)
        person = tx.people.of_id(code.binding.person_id)
        language = "en" if person is None else person.language  # whoever joins is nobody yet
        rows = []
        for channel, address in self._waiting_for(tx, code):
            session = self._sessions.load(tx, channel, address)
            frames = (session.active, *session.parked.values())
            waits = [one.flow.name for one in frames if one and one.operation == reference]
            if not waits:
                continue
            key = self._engine.finish_operation(session, waits[0], reference, "undeliverable")
            self._sessions.save(tx, channel, address, session, touched=False)
            facts = {"reference": reference, "amount": code.binding.amount}
            text = self._engine.texts.say(language, key, facts)
            rows.append(tx.outbox.add(channel, address, kind="notice", text=text))
        return rows

    @staticmethod
    def _waiting_for(tx: SqliteTx, code: Otp) -> list[tuple[str, str]]:
        """The accounts where it may be typed: whoever joins by it is not linked yet."""
        invite = tx.invites.get(code.binding.operation)
        if invite is None:
            return tx.people.addresses(code.binding.person_id)
        assert invite.channel is not None
        assert invite.address is not None
        return [(invite.channel, invite.address)]

    def _outcome(
        self,
        tx: SqliteTx,
        flow: str,
        operation: TopUp | Purchase,
        session: Session,
        exit_of: str,
        facts: Mapping[str, Any],
        goes_on: str | None = None,
    ) -> list[OutboxRow]:
        """``goes_on`` names a flow that waited for this one, to be gone on with by one tap.

        It says balances: where the account is not the person's any more, another one of theirs
        hears of it, or the owners.
        """
        key = self._engine.finish_operation(session, flow, operation.reference, exit_of)
        self._sessions.save(tx, operation.channel, operation.address, session, touched=False)
        person = _linked_initiator(tx, operation)
        if person is None:
            began = None if operation.person_id is None else tx.people.of_id(operation.person_id)
            rather = [] if began is None else [began]
            return self._to_owners(tx, operation.partner, key, facts, rather)
        texts, language = self._engine.texts, operation.language
        text, rows = texts.say(language, key, facts), "[]"
        if goes_on is not None:
            text = f"{text}\n\n{texts.say(language, f'{goes_on}.waits')}"
            rows = buttons_to_json(((Button(goes_on, texts.say(language, f"menu.{goes_on}")),),))
        receipt = tx.outbox.add(
            operation.channel,
            operation.address,
            kind="receipt",
            text=text,
            rows=rows,
            turn=UNBOUND,
            fallback=person.phone.msisdn,
            protect=True,
        )
        return [receipt]

    def _live(
        self,
        tx: SqliteTx,
        flow: str,
        operation: TopUp | Purchase,
        session: Session,
        text: str,
        facts: Mapping[str, Any],
    ) -> OutboxRow:
        screen = None
        person = _linked_initiator(tx, operation)
        if person is not None:  # who is not linked any more is told, but has nothing to tap
            event = Event(operation.channel, operation.address, "", EventKind.OTHER)
            host = TurnHost(self._context, tx, event, person, is_admin=False)
            screen = self._engine.live_screen(session, operation.reference, host)
        return tx.outbox.add(
            operation.channel,
            operation.address,
            kind="progress",
            text=self._engine.texts.say(operation.language, text, facts),
            rows="[]" if screen is None else buttons_to_json(screen.rows),
            turn=session.turn,
            slot=f"{flow}:{operation.reference}",
            edits=True,
        )

    def _purchase_facts(self, tx: SqliteTx, purchase: Purchase) -> dict[str, Any]:
        return self._facts(tx, purchase) | _quote_facts(purchase)

    def _facts(self, tx: SqliteTx, operation: TopUp | Purchase) -> dict[str, Any]:
        partner = tx.people.partner(operation.partner)
        assert partner is not None
        seen = balances.of(tx, partner)
        facts: dict[str, Any] = {
            "reference": operation.reference,
            "amount": operation.amount,
            "at": tx.now,
            "balance": seen.wallet.posted,
            "float": seen.float.posted,
        }
        if operation.reason is not None:
            key = f"reason.{operation.reason}"
            facts["reason"] = self._engine.texts.say(operation.language, key)
        return facts


FINDINGS_SHOWN = 10  # of one notice; all stand in the report
REMEDY = {NotificationKind.LOW_WALLET: "topup", NotificationKind.LOW_FLOAT: "float"}


def _linked_initiator(tx: SqliteTx, operation: TopUp | Purchase) -> Person | None:
    """Who began it, where its account is still theirs: by now it may be nobody's, or somebody's of
    another business."""
    person = tx.people.at(operation.channel, operation.address)
    return person if person is not None and person.id == operation.person_id else None


def _quote_facts(purchase: Purchase) -> dict[str, Any]:
    quote = purchase.quote
    return {
        "reference": purchase.reference,
        "amount": quote.amount,
        "fees": quote.fees,
        "total": quote.total,
    }


BY_HAND_EXITS = {
    TopUpState.PAID: "by_hand_paid",
    TopUpState.PAID_LATE: "by_hand_late",
    TopUpState.NOT_PAID: "lapsed",
}


def topup_exit(topup: TopUp) -> str:
    """Which exit of the waiting Do an outcome takes."""
    if topup.by_hand and topup.state in BY_HAND_EXITS:
        return BY_HAND_EXITS[topup.state]
    if topup.state is TopUpState.NOT_PAID and topup.due_at is not None:
        return "not_paid_so_far"
    return topup.state.value.lower()
