"""What M-PESA does with requests that have passed the gateway: an acknowledgement now, a Result
later (facts: Daraja 2, 5 and 7).

The acknowledgement says nothing but that the request was taken. Who sent it is looked at then, too,
and answered in the Result.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

from bot.simulation.daraja.b2c_ledger import B2cLedger, B2cPayment, B2cState
from bot.simulation.daraja.credentials import DarajaCredentials
from bot.simulation.daraja.gateway_errors import DUPLICATE, GatewayError
from bot.simulation.daraja.initiator import Initiator
from bot.simulation.daraja.payees import AGAIN_AFTER, RESULT_AFTER
from bot.simulation.daraja.request_fields import Fields
from bot.simulation.daraja.result_codes import INTERNAL_FAILURE, NO_SUCH_RECEIPT, PAID
from bot.simulation.daraja.result_sender import ResultDelivery, ResultSender
from bot.simulation.daraja.result_shapes import DOUBTFUL, Result, reshape
from bot.simulation.daraja.results import (
    balance_result,
    occasion_of,
    payment_result,
    queue_timeout,
    result_head,
    status_result,
)
from bot.simulation.daraja.wire_ids import WireIds
from bot.simulation.faults import Fault, FaultKind
from bot.simulation.simulated_api import CallReply
from services.ports import Clock

# How much later than usual everything happens to a request whose queue timed out.
QUEUED_FOR = timedelta(seconds=60)
_NO_TIME = timedelta(0)


class Mpesa:
    """``fault`` is one that has the call's effect and changes what is posted."""

    def __init__(
        self,
        clock: Clock,
        ids: WireIds,
        ledger: B2cLedger,
        initiator: Initiator,
        sender: ResultSender,
        credentials: DarajaCredentials,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._ledger = ledger
        self._initiator = initiator
        self._sender = sender
        self._debited = f"{credentials.short_code} - {credentials.short_code_name}"

    def pay(self, fields: Fields, fault: Fault | None) -> CallReply | GatewayError:
        originator_id = fields["OriginatorConversationID"]
        self._ledger.order_counts[originator_id] += 1
        if self._ledger.by_originator(originator_id) is not None:
            return DUPLICATE
        refusal = self._initiator.refusal(
            fields["InitiatorName"], fields["SecurityCredential"], fields["PartyA"]
        )
        if refusal is None and _says_failed(fault):
            refusal = INTERNAL_FAILURE
        late_by = QUEUED_FOR if _is_queue_timeout(fault) else _NO_TIME
        payment, does = self._ledger.order(
            fields, self._clock.now(), refusal=refusal, late_by=late_by
        )
        if late_by:
            self._tell_of_queue(fields, originator_id, payment.conversation_id)
        if does.fails_with is not None:
            self._tell(fields, payment, does.fails_with, late_by + RESULT_AFTER, fault)
        told: list[ResultDelivery] = []
        if does.paid_after is not None:
            for n in range(does.results):
                after = late_by + does.paid_after + n * AGAIN_AFTER
                told.append(self._tell(fields, payment, PAID, after, fault))
        holds = does.is_before_ack and not late_by
        return _acknowledgement(
            originator_id, payment.conversation_id, after=told[0].over if holds else None
        )

    def ask_status(self, fields: Fields, fault: Fault | None) -> CallReply:
        found: list[B2cPayment] = []

        def result(head: Result) -> Result:
            head["ReferenceData"] = {"ReferenceItem": occasion_of(fields)}
            now = self._clock.now()
            payment = self._ledger.find(fields, now)
            if payment is None:
                return head | _verdict(NO_SUCH_RECEIPT)
            if payment.state(now) is B2cState.PAID:
                found.append(payment)
            return status_result(head, payment, self._debited, now)

        def left() -> None:
            for payment in found:
                self._told(payment, fault, confirms=True)

        def taken() -> None:
            for payment in found:
                self._reported(payment, fault)

        return self._ask(fields, fault, result, left, taken)

    def ask_balance(self, fields: Fields, fault: Fault | None) -> CallReply:
        def result(head: Result) -> Result:
            return balance_result(head, self._ledger, self._clock.now())

        return self._ask(fields, fault, result, lambda: None, lambda: None)

    def _ask(
        self,
        fields: Fields,
        fault: Fault | None,
        result: Callable[[Result], Result],
        left: Callable[[], None],
        taken: Callable[[], None],
    ) -> CallReply:
        """``result`` completes the head of a Result when it leaves; then ``left`` is called."""
        refusal = self._initiator.refusal(
            fields["Initiator"], fields["SecurityCredential"], fields["PartyA"]
        )
        originator_id = self._ids.gateway()
        conversation_id = self._ids.conversation(self._clock.now())
        transaction_id = f"{self._ids.receipt()[:3]}0000000"

        def body() -> bytes:
            head = result_head(refusal or PAID, originator_id, conversation_id, transaction_id)
            if refusal is None and fault is not None and _says_failed(fault):
                head |= _verdict(INTERNAL_FAILURE) | {"ResultDesc": fault.reason}
            elif refusal is None:
                head = result(head)
                left()
            return self._shaped(head, fault)

        late_by = QUEUED_FOR if _is_queue_timeout(fault) else _NO_TIME
        if late_by:
            self._tell_of_queue(fields, originator_id, conversation_id)
        self._sender.send(fields["ResultURL"], body, late_by + RESULT_AFTER, taken)
        return _acknowledgement(originator_id, conversation_id)

    def _tell(
        self,
        fields: Fields,
        payment: B2cPayment,
        code: str,
        after: timedelta,
        fault: Fault | None,
    ) -> ResultDelivery:
        def body() -> bytes:
            result = payment_result(payment, code, self._ledger, self._clock.now())
            if fault is not None and _says_failed(fault) and code == INTERNAL_FAILURE:
                result["ResultDesc"] = fault.reason
            if code == PAID:
                self._told(payment, fault)
            return self._shaped(result, fault)

        def taken() -> None:
            if code == PAID:
                self._reported(payment, fault)

        return self._sender.send(fields["ResultURL"], body, after, taken)

    def _tell_of_queue(self, fields: Fields, originator_id: str, conversation_id: str) -> None:
        message = {"Result": queue_timeout(originator_id, conversation_id)}
        body = json.dumps(message).encode()
        self._sender.send(fields["QueueTimeOutURL"], lambda: body, RESULT_AFTER)

    def _shaped(self, result: Result, fault: Fault | None) -> bytes:
        if fault is not None and fault.shape is not None:
            reshape(result, fault.shape, self._ids)
        return json.dumps({"Result": result}).encode()

    def _told(self, payment: B2cPayment, fault: Fault | None, *, confirms: bool = False) -> None:
        if not _is_clear(fault):
            return
        payment.told_at = payment.told_at or self._clock.now()
        if confirms:
            payment.confirmed_at = payment.confirmed_at or self._clock.now()

    def _reported(self, payment: B2cPayment, fault: Fault | None) -> None:
        if _is_clear(fault) and payment.reported_at is None:
            payment.reported_at = self._clock.now()


def _is_clear(fault: Fault | None) -> bool:
    return fault is None or fault.shape not in DOUBTFUL


def _says_failed(fault: Fault | None) -> bool:
    return fault is not None and fault.kind is FaultKind.SAYS_FAILED


def _is_queue_timeout(fault: Fault | None) -> bool:
    return fault is not None and fault.kind is FaultKind.QUEUE_TIMEOUT


def _verdict(code: str) -> Result:
    head = result_head(code, "", "", "")
    return {name: head[name] for name in ("ResultCode", "ResultDesc")}


def _acknowledgement(
    originator_id: str, conversation_id: str, after: asyncio.Event | None = None
) -> CallReply:
    body = {
        "ConversationID": conversation_id,
        "OriginatorConversationID": originator_id,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }
    return CallReply(200, json.dumps(body).encode(), after=after)
