"""Payouts in a plain store, one transaction at a time and without M-PESA."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

from bot.security.keyring import Keyring
from bot.workers.payout_results import posted
from services import payout_quotes, payout_results, payout_settlement, payouts
from services.domain.bank import NoAnswer, NotSent, Unknown
from services.domain.lease import Lease
from services.domain.ledger import Account, AccountKind, opening_balance
from services.domain.money import Money
from services.domain.operation import OperationType
from services.domain.payout import Payout, PayoutState
from services.domain.payout_answers import Acknowledged, Asked, PayoutAnswer, Refused
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.spending import Shortfall
from services.gateways.daraja.result_wire import read_result
from services.otp import NotPassed
from services.payout_results import RESULT, TIMEOUT
from services.payout_settlement import PayoutChange
from services.policy import Policy
from services.spending import CodeSent
from tests.kit.plain_store import PlainStore

S = PayoutState
LEASE = timedelta(seconds=240)
HELD = Lease("this run", LEASE)
CALL_MS = 250
AMOUNT = Money(150_000)
FLOAT = Money(100_000_000)
CONFIRM_ABOVE = Money(10_000_000)
PAYEE = Phone("254722000111")
OTHER_PAYEE = Phone("254733000222")
ORDER_ID, QUERY_ID = "AG_20260302_order", "AG_20260302_query"
RECEIPT, OTHER_RECEIPT = "SG632NMUAB", "SG632NMUAC"
TAKEN = Acknowledged(ORDER_ID)
REFUSED = Refused("HTTP 400 400.002.02 Invalid Remarks")
NOT_SENT = NotSent("connection refused")
NO_READABLE_ANSWER = Unknown("read timeout")
NOT_PERMITTED, NOT_REGISTERED, CREDENTIAL_LOCKED = "21", "2040", "8006"


class PayoutPayer:
    """One person's payouts, their worker, and what is posted about them."""

    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.keys = Keyring({"1": b"1" * 32})
        self.random = random.Random(1)
        self.policy = Policy(payout_short_code="400187", payout_confirm_above=CONFIRM_ABOVE)
        self.person = store.person()
        self.channel = "terminal"
        self.events = 0
        self.codes: dict[str, str] = {}

    def fund(self, amount: Money = FLOAT) -> None:
        self.store.book(opening_balance("DEMO", AccountKind.FLOAT, amount))

    def lift_the_limit_of_new_numbers(self) -> None:
        ms = int(self.store.now.timestamp() * 1000)
        for name in ("payout.recipient.new", "payout.recipient.day"):
            self.store.do(lambda tx, name=name: tx.limits.set(name, ms, FLOAT, "t", ""))

    # The person ---------------------------------------------------------------------------

    def request(
        self, amount: Money = AMOUNT, payee: Phone = PAYEE, address: str = "1"
    ) -> Payout | Shortfall | Refusal:
        self.events += 1
        return self.store.do(
            lambda tx: payout_quotes.request(
                tx, self.random, self.policy, self.person, self.channel, address,
                f"event-{self.events}", payee, amount,
            )
        )  # fmt: skip

    def confirm(self, reference: str) -> object:
        shown = self.get(reference)
        result = self.store.do(
            lambda tx: payouts.confirm(
                tx, self.keys, self.random, self.policy, self.person, reference,
                shown.recipient, shown.amount, shown.quote.fees,
            )
        )  # fmt: skip
        if isinstance(result, CodeSent):
            self.codes[reference] = result.issued.code
        return result

    def type(self, reference: str, code: str | None = None) -> Payout | NotPassed | Refusal:
        """Type the right code, or the given one."""
        typed = code or self.codes[reference]
        return self.store.do(
            lambda tx: payouts.authorise(tx, self.keys, self.policy, self.person, reference, typed)
        )

    def authorised(self, amount: Money = AMOUNT, payee: Phone = PAYEE, address: str = "1") -> str:
        quoted = self.request(amount, payee, address)
        assert isinstance(quoted, Payout), quoted
        sent = self.confirm(quoted.reference)
        assert isinstance(sent, CodeSent), sent
        self.type(quoted.reference)
        assert self.get(quoted.reference).state is S.AUTHORISED
        return quoted.reference

    # The worker's steps -------------------------------------------------------------------

    def scan(self) -> tuple[list[Payout], list[PayoutChange]]:
        work, settled = self.store.do(lambda tx: payout_settlement.claim(tx, HELD, 100, 100))
        return list(work), settled

    def scan_some(self, sends: int) -> tuple[list[Payout], list[PayoutChange]]:
        """As much as there is room for."""
        work, settled = self.store.do(lambda tx: payout_settlement.claim(tx, HELD, sends, 0))
        return list(work), settled

    def claim(self, reference: str) -> Payout:
        (claimed,) = (one for one in self.scan()[0] if one.reference == reference)
        return claimed

    def begin(self, claimed: Payout) -> Payout | None:
        return self.store.do(lambda tx: payout_settlement.begin_submitting(tx, claimed, HELD))

    def submitting(self, reference: str) -> Payout:
        submitting = self.begin(self.claim(reference))
        assert submitting is not None
        return submitting

    def answered(self, claimed: Payout, answer: PayoutAnswer) -> PayoutChange | None:
        return self.store.do(
            lambda tx: payout_settlement.record_order(tx, claimed, answer, CALL_MS)
        )

    def told(self, claimed: Payout, answer: Asked | NoAnswer) -> None:
        self.store.do(lambda tx: payout_settlement.record_query(tx, claimed, answer, CALL_MS))

    def asks(self, reference: str, answer: Asked | NoAnswer | None = None) -> Payout:
        """Wait until a query is due, and send it; returns what was claimed."""
        due_at = self.get(reference).due_at
        assert due_at is not None
        self.store.now = max(self.store.now, due_at)
        claimed = self.claim(reference)
        self.told(claimed, answer or Asked(QUERY_ID))
        return claimed

    def restart(self) -> int:
        return self.store.do(
            lambda tx: tx.claims.end_leases_of_others(OperationType.PAYOUT, "the next run")
        )

    # What M-PESA posts --------------------------------------------------------------------

    def post(self, body: bytes, kind: str = RESULT) -> PayoutChange | None:
        read = read_result(body)
        said = None if read is None else posted(read)
        taken = self.store.do(lambda tx: payout_results.take(tx, self.policy, kind, body, said))
        return taken.change

    def time_out(self, result: dict[str, Any]) -> PayoutChange | None:
        return self.post(wire(result), TIMEOUT)

    def says(self, result: dict[str, Any]) -> PayoutChange | None:
        return self.post(wire(result))

    # What the database says ---------------------------------------------------------------

    def get(self, reference: str) -> Payout:
        payout = self.store.tx.payouts.get(reference)
        assert payout is not None
        return payout

    def state(self, reference: str) -> PayoutState:
        return self.get(reference).state

    def available(self) -> int:
        return self.store.tx.ledger.balance(Account("DEMO", AccountKind.FLOAT)).available.cents

    def owed(self) -> int:
        balance = self.store.tx.ledger.balance(Account("DEMO", AccountKind.RECEIVABLE))
        return abs(balance.posted.cents)

    def reviews(self, reference: str) -> list[str]:
        return list(self.store.tx.evidence.open_review_reasons(reference))

    def is_paused(self) -> bool:
        return self.store.tx.payout_pauses.standing() is not None


def wire(result: dict[str, Any]) -> bytes:
    return json.dumps({"Result": result}).encode()


def _head(payout: Payout, code: object, **changes: Any) -> dict[str, Any]:
    return {
        "ResultType": 0,
        "ResultCode": code,
        "ResultDesc": "The service request is processed successfully.",
        "OriginatorConversationID": payout.originator_id,
        "ConversationID": ORDER_ID,
        "TransactionID": RECEIPT,
    } | changes


def paid(payout: Payout, receipt: str = RECEIPT, **changes: Any) -> dict[str, Any]:
    """A Result that the order was paid; ``changes`` replace fields and parameters by name."""
    given = {
        "TransactionAmount": payout.amount.whole_units,
        "TransactionReceipt": receipt,
        "ReceiverPartyPublicName": f"{payout.recipient.msisdn} - GITHINJI SPECIMEN",
    }
    parameters = {key: changes.pop(key, value) for key, value in given.items()}
    listed = [{"Key": key, "Value": value} for key, value in parameters.items()]
    return _head(payout, 0, TransactionID=receipt, **changes) | {
        "ResultParameters": {"ResultParameter": listed}
    }


def failed(payout: Payout, code: str = NOT_REGISTERED, **changes: Any) -> dict[str, Any]:
    """A Result that the order was not paid."""
    said = {"ResultDesc": "Declined.", "TransactionID": "SG00000000"}
    return _head(payout, code, **(said | changes))


def status(payout: Payout, receipt: str = RECEIPT, **changes: Any) -> dict[str, Any]:
    """A Result to a status query about it, under M-PESA's own ids of the query."""
    given = {
        "TransactionStatus": "Completed",
        "Amount": payout.amount.whole_units,
        "ReceiptNo": receipt,
        "OriginatorConversationID": payout.originator_id,
        "ConversationID": ORDER_ID,
        "DebitPartyName": f"{payout.recipient.msisdn} - GITHINJI SPECIMEN",
    }
    parameters = {key: changes.pop(f"_{key}", value) for key, value in given.items()}
    listed = [{"Key": key, "Value": value} for key, value in parameters.items()]
    ids = {"OriginatorConversationID": "gateway-1", "ConversationID": QUERY_ID}
    return _head(payout, 0, **(ids | changes)) | {"ResultParameters": {"ResultParameter": listed}}


def occasion(payout: Payout) -> dict[str, Any]:
    """What comes back with the answer to a query."""
    item = {"Key": "Occasion", "Value": payout.originator_id}
    return {"ReferenceData": {"ReferenceItem": item}}


def in_state(payer: PayoutPayer, state: PayoutState, amount: Money = AMOUNT) -> str:
    """The reference of a payout brought to ``state``, from ``AUTHORISED`` on, by the shortest
    path."""
    reference = payer.authorised(amount)
    if state is S.AUTHORISED:
        return reference
    claimed = payer.submitting(reference)
    if state is S.SUBMITTING:
        return reference
    if state is S.UNKNOWN:
        payer.answered(claimed, NO_READABLE_ANSWER)
    else:
        payer.answered(claimed, TAKEN)
    payout = payer.get(reference)
    if state is S.PAID:
        payer.says(paid(payout))
        if payer.state(reference) is S.ACCEPTED:
            payer.asks(reference)
            payer.says(status(payout))
    elif state in (S.RETURNED, S.PAID_AFTER_RETURN):
        payer.says(failed(payout))
        if state is S.PAID_AFTER_RETURN:
            payer.says(paid(payout))
    assert payer.state(reference) is state
    return reference
