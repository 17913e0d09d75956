"""The simulated Daraja: Safaricom's payments to customers, with the short code's own books.

Texts and shapes are the real ones (facts: Daraja). The gateway answers at once, and M-PESA later by
a Result to the address that the request names.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

from bot.simulation.daraja.b2c_ledger import B2cLedger, B2cPayment
from bot.simulation.daraja.credentials import CREDENTIALS, DarajaCredentials
from bot.simulation.daraja.faults import BALANCE, CALLS, MET_BY, PAYOUT, STATUS, TOKEN
from bot.simulation.daraja.gateway_errors import (
    DUPLICATE,
    NOT_FOUND,
    QUOTA,
    SPIKE_ARREST,
    SYSTEM_ERROR,
    WRONG_HEADER,
    WRONG_METHOD,
    GatewayError,
    refused,
    with_status,
    wrong_token,
)
from bot.simulation.daraja.initiator import Initiator
from bot.simulation.daraja.mpesa import Mpesa
from bot.simulation.daraja.payees import Payee, Payees
from bot.simulation.daraja.request_fields import read_fields
from bot.simulation.daraja.result_sender import ResultSender
from bot.simulation.daraja.tokens import Tokens, bearer_of
from bot.simulation.daraja.wire_ids import WireIds
from bot.simulation.faults import Fault, FaultKind
from bot.simulation.simulated_api import (
    CallReply,
    CallRequest,
    SimulatedApi,
    garbage_reply,
    html_reply,
)
from services.domain.ids import RandomSource
from services.ports import Clock

_PATHS = {
    "/oauth/v1/generate": ("GET", TOKEN),
    "/mpesa/b2c/v3/paymentrequest": ("POST", PAYOUT),
    "/mpesa/transactionstatus/v1/query": ("POST", STATUS),
    "/mpesa/accountbalance/v1/query": ("POST", BALANCE),
}


class SimulatedDaraja(SimulatedApi):
    """``results`` posts what M-PESA says. ``initiator`` can be locked out, and unlocked."""

    def __init__(
        self,
        clock: Clock,
        random: RandomSource,
        results: ResultSender,
        credentials: DarajaCredentials = CREDENTIALS,
    ) -> None:
        super().__init__(clock, CALLS, MET_BY)
        self.results = results
        self.initiator = Initiator(
            credentials.initiator_name, credentials.initiator_password, credentials.short_code
        )
        self._ids = WireIds(random)
        self._payees = Payees(random)
        self._ledger = B2cLedger(self._ids, self._payees)
        self._tokens = Tokens(
            clock, self._ids, credentials.consumer_key, credentials.consumer_secret
        )
        self._mpesa = Mpesa(clock, self._ids, self._ledger, self.initiator, results, credentials)

    # Told by tests and scripts ---------------------------------------------------------------

    def set_payee(self, phone: str, does: Payee) -> None:
        """What M-PESA does with the next payment to that phone."""
        self._payees.tell(phone, does)

    def opening(self, cents: int) -> None:
        """Money that stands in the utility account from the start."""
        self.raise_utility(cents)

    def raise_utility(self, cents: int, at: datetime | None = None) -> None:
        """Money that comes into the utility account now, or ``at`` a moment to come."""
        self._ledger.utility.enter(cents, at or self._clock.now())

    def revoke_tokens(self) -> None:
        self._tokens.revoke()

    # The books -------------------------------------------------------------------------------

    def payments(self) -> tuple[B2cPayment, ...]:
        """Every payment that M-PESA was ordered to make, in that order."""
        return self._ledger.payments()

    def paid(self) -> tuple[B2cPayment, ...]:
        """Those that have left the utility account by now, in that order."""
        return self._ledger.paid(self._clock.now())

    def order_counts(self) -> Counter[str]:
        """How many orders each OriginatorConversationID came with, refused duplicates included."""
        return self._ledger.order_counts

    def utility_cents(self) -> int:
        return self._ledger.utility.balance(self._clock.now())

    def charges_paid_cents(self) -> int:
        """What is owed for payments, as a negative balance."""
        return self._ledger.charges_paid.balance(self._clock.now())

    def name_of(self, phone: str) -> str:
        """Who a Result says was paid."""
        return self._payees.name(phone)

    def issued_tokens(self) -> tuple[str, ...]:
        """Every token ever issued, to be searched for where none may be stored."""
        return tuple(self._tokens.issued)

    # Calls -----------------------------------------------------------------------------------

    def mark_delivered(self, reply: CallReply) -> None:
        """That a request was taken tells nothing of a payment; Results keep their own account."""

    def _call_of(self, request: CallRequest) -> str | None:
        method, call = _PATHS.get(request.path, ("", ""))
        return call if request.method == method else None

    def _not_served(self, request: CallRequest) -> CallReply:
        _, call = _PATHS.get(request.path, ("", None))
        if call is None:
            return self._reply(NOT_FOUND)
        return self._reply(WRONG_HEADER if call == TOKEN else WRONG_METHOD)

    def _meet(self, fault: Fault | None, call: str, request: CallRequest) -> CallReply | None:
        if fault is None:
            return self._answer(call, request)
        match fault.kind:
            case FaultKind.SLOW | FaultKind.QUEUE_TIMEOUT:
                return self._answer(call, request, fault)
            case FaultKind.RESULT | FaultKind.SAYS_FAILED:
                return self._answer(call, request, fault)
            case FaultKind.TIMEOUT_BEFORE:
                return None
            case FaultKind.TIMEOUT_AFTER:
                self._answer(call, request)
                return None
            case FaultKind.REFUSE:
                return self._reply(refused(call, fault.reason))
            case FaultKind.REFUSE_AFTER:
                self._answer(call, request)
                return self._reply(
                    GatewayError(SYSTEM_ERROR.status, SYSTEM_ERROR.code, fault.reason)
                )
            case FaultKind.DUPLICATE:  # an intermediary repeated the request
                self._answer(call, request)
                return self._reply(DUPLICATE)
            case FaultKind.SYSTEM_ERROR:
                return self._reply(SYSTEM_ERROR)
            case FaultKind.SPIKE_ARREST:
                return self._reply(SPIKE_ARREST)
            case FaultKind.QUOTA:
                return self._reply(QUOTA)
            case FaultKind.TOKEN_GONE:
                self.revoke_tokens()
                return self._answer(call, request)
            case FaultKind.CONTRADICTS:
                return _contradiction()
            case FaultKind.HTTP:
                return self._reply(with_status(fault.status, bearer_of(request) or ""))
            case FaultKind.HTML:
                return html_reply(200)
            case FaultKind.GARBAGE:
                return garbage_reply()
        raise AssertionError(f"{call} cannot meet {fault.kind.name}")

    def _answer(self, call: str, request: CallRequest, fault: Fault | None = None) -> CallReply:
        if call == TOKEN:
            return self._reply(self._tokens.give(request))
        token = bearer_of(request)
        if token is None:
            return self._reply(WRONG_HEADER)
        if not self._tokens.admit(token):
            return self._reply(wrong_token(call, token))
        fields = read_fields(call, request)
        if isinstance(fields, GatewayError):
            return self._reply(fields)
        if call == PAYOUT:
            return self._reply(self._mpesa.pay(fields, fault))
        if call == STATUS:
            return self._mpesa.ask_status(fields, fault)
        return self._mpesa.ask_balance(fields, fault)

    def _reply(self, answer: CallReply | GatewayError) -> CallReply:
        if isinstance(answer, GatewayError):
            return answer.reply(self._ids.gateway())
        return answer


def _contradiction() -> CallReply:
    """Accepted by its code, refused by its words, and without an id."""
    body = {
        "ConversationID": "",
        "OriginatorConversationID": "",
        "ResponseCode": "0",
        "ResponseDescription": "The service request is rejected.",
    }
    return CallReply(200, json.dumps(body).encode())
