"""The simulated NCBA with both its APIs: an ASGI app with its own books, handsets and faults.

It is part of the outside: it survives restarts of the product and knows only what reached it. It is
plain ASGI because benchmarks send it thousands of prompts a second; in a simulated world
``BankClient`` calls it without any network.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from starlette.types import Receive, Scope, Send

from bot.simulation.ncba.collections_api import (
    AcceptedAccounts,
    BankReply,
    BankRequest,
    CollectionsApi,
    contradiction,
    html_reply,
    json_reply,
    refusal,
)
from bot.simulation.ncba.faults import ArmedFaults, Fault, FaultKind, check_call
from bot.simulation.ncba.float_ledger import FloatBooking, FloatLedger
from bot.simulation.ncba.handsets import Handset, Handsets
from bot.simulation.ncba.openbanking_api import (
    PATHS,
    FloatReply,
    OpenBankingApi,
    float_contradiction,
    float_refusal,
    float_reply,
    status_failed,
)
from bot.simulation.ncba.paybill import Paybill
from bot.simulation.ncba.prompts import PromptRegistry, SentPrompt
from bot.simulation.ncba.statements import Statements
from services.domain.ids import RandomSource
from services.gateways.ncba.payment_notification import NotifyCredentials
from services.ports import Clock

Probe = Callable[[Literal["before", "after"], str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Route:
    """``call`` is the name under which requests to either API are counted and faults are armed.
    Account queries have names of their own, which scripts do not know.
    """

    call: str
    open_banking: bool = False


# Credentials that sign its notifications; all are invented.
NOTIFY = NotifyCredentials(
    username="ncba-simulated",
    password="simulated-notify-password",
    secret_key="simulated-notify-key",
    paybill_no="880100",
    account_number="774451",
)

_ROUTES = {
    ("GET", "/payments/api/v1/auth/token"): _Route("token"),
    ("POST", "/payments/api/v1/auth/token"): _Route("token"),
    ("POST", "/payments/api/v1/stk-push/initiate"): _Route("initiate"),
    ("POST", "/payments/api/v1/stk-push/query"): _Route("query"),
    ("POST", "/payments/api/v1/qr/generate"): _Route("qr"),
} | {("POST", path): _Route(call, open_banking=True) for path, call in PATHS.items()}


async def _no_probe(moment: Literal["before", "after"], call: str) -> None:
    """The default probe: never stops the product."""


class SimulatedBank:
    """``probe`` is awaited before a call reaches the bank, and again after the call took effect but
    before its answer; a probe that never returns stands for our process dying there.

    ``latency`` returns how many seconds each call takes to have its effect.
    """

    def __init__(
        self,
        clock: Clock,
        random: RandomSource,
        *,
        username: str = "hazina",
        password: str = "simulated",
        paybill_no: str = "880100",
        subscription_key: str = "simulated-key",
        float_user_id: str = "hazina-float",
        float_password: str = "simulated",
        debit_account: str = "1007745101",
        notify: NotifyCredentials = NOTIFY,
    ) -> None:
        self.probe: Probe = _no_probe
        self.latency: Callable[[], float] = lambda: 0.0
        self.prompts = PromptRegistry(clock, random)
        self.paybill = Paybill(clock, self.prompts, notify)
        self.floats = FloatLedger(clock, random)
        self.statements = Statements(self.paybill, self.floats)
        self._clock = clock
        self._handsets = Handsets(self.prompts)
        self._collections_api = CollectionsApi(
            clock,
            random,
            self.prompts,
            self._handsets,
            username=username,
            password=password,
            paybill_no=paybill_no,
            account_number=notify.account_number,
        )
        self._openbanking_api = OpenBankingApi(
            clock,
            random,
            self.floats,
            self.statements,
            subscription_key=subscription_key,
            user_id=float_user_id,
            password=float_password,
            debit_account=debit_account,
        )
        self._faults = ArmedFaults()
        self._calls: Counter[str] = Counter()
        self._under_way: set[asyncio.Task[BankReply | None]] = set()

    def accept_accounts(self, which: AcceptedAccounts) -> None:
        """From now on prompts with any other ``AccountNo`` are refused."""
        self._collections_api.account_nos = which

    def set_handset(self, phone: str, does: Handset) -> None:
        self._handsets.set_action(phone, does)

    def arm(self, fault: Fault, call: str, times: int = 1) -> None:
        """The next ``times`` calls meet the fault. Raises ``ValueError`` if they cannot."""
        self._faults.arm(fault, call, times)

    def arm_for(self, fault: Fault, call: str, lasts: timedelta) -> None:
        """Every such call meets the fault for this long. Raises ``ValueError`` if it cannot."""
        self._faults.arm_until(fault, call, self._clock.now() + lasts)

    def faults_left(self) -> Mapping[str, int]:
        """How many of each call's next ones are to meet a fault."""
        return self._faults.left()

    def disarm(self) -> None:
        """Remove all faults and latency."""
        self._faults = ArmedFaults()
        self.latency = lambda: 0.0

    def calls(self, call: str) -> int:
        """The number of such requests since the start, whether they succeeded or not."""
        check_call(call)
        return self._calls[call]

    def revoke_tokens(self) -> None:
        self._collections_api.revoke_tokens()
        self._openbanking_api.revoke_tokens()

    def issued_tokens(self) -> tuple[str, ...]:
        """Every token ever issued, to be searched for where none may be stored."""
        return self._collections_api.issued_tokens() + self._openbanking_api.issued_tokens()

    def float_purchases(self) -> tuple[FloatBooking, ...]:
        """Every float purchase in our books must be found here once, by reference and amount."""
        return self.floats.purchases()

    def paid(self) -> tuple[SentPrompt, ...]:
        """Every prompt credited in our books must be found here, by account number and amount."""
        return self.prompts.paid()

    def reported_paid(self) -> tuple[SentPrompt, ...]:
        """The subset of ``paid`` that our books must have credited, because a query reported it."""
        return tuple(prompt for prompt in self.prompts.paid() if prompt.reported_at)

    def settled_total(self, account_no: str | None = None) -> int:
        return self.prompts.settled_total(account_no)

    async def handle(self, method: str, path: str, request: BankRequest) -> BankReply | None:
        """Handle a call; ``None`` when the bank never answers.

        The caller passes the answer on, then calls ``mark_delivered``.
        """
        route = _ROUTES.get((method, path))
        if route is None:
            return json_reply(404, message="Not found", status="404")
        await self.probe("before", route.call)
        self._calls[route.call] += 1
        reply = await self._serve(route, request)
        await self.probe("after", route.call)
        return reply

    def mark_delivered(self, reply: BankReply) -> None:
        learned = (
            reply.reported_purchase if isinstance(reply, FloatReply) else reply.reported_payment
        )
        if learned and learned.reported_at is None:
            learned.reported_at = self._clock.now()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # lifespan messages of a server: nothing to start
            return
        request = BankRequest(dict(scope["headers"]), await _read_body(receive))
        reply = await self.handle(scope["method"], scope["path"], request)
        if reply is None:
            await _hang_up(receive)
            return
        await _write(send, reply)
        self.mark_delivered(reply)

    async def _serve(self, route: _Route, request: BankRequest) -> BankReply | None:
        fault = self._faults.take(route.call, self._clock.now())
        delay_s = self.latency() + (fault.delay_s if fault else 0.0)
        if delay_s <= 0:
            return self._meet(fault, route, request)

        async def later() -> BankReply | None:
            await self._clock.sleep(delay_s)
            return self._meet(fault, route, request)

        # A task of the bank's own: it continues after the caller's timeout.
        task = asyncio.create_task(later())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    def _meet(self, fault: Fault | None, route: _Route, request: BankRequest) -> BankReply | None:
        """Have the effect, then return the answer; ``None`` when the bank never answers."""
        if fault is None or fault.kind is FaultKind.SLOW:
            return self._answer(route, request)
        match fault.kind:
            case FaultKind.SAME_ID:
                return self._collections_api.with_previous_id(request)
            case FaultKind.TIMEOUT_BEFORE:
                return None
            case FaultKind.TIMEOUT_AFTER:
                self._answer(route, request)
                return None
            case FaultKind.REFUSE:
                refuse = float_refusal if route.open_banking else refusal
                return refuse(route.call, fault.reason)
            case FaultKind.REFUSE_AFTER:
                self._answer(route, request)
                refuse = float_refusal if route.open_banking else refusal
                return refuse(route.call, fault.reason)
            case FaultKind.TOKEN_GONE:
                self.revoke_tokens()
                return self._answer(route, request)
            case FaultKind.CONTRADICTS:
                return float_contradiction() if route.open_banking else contradiction()
            case FaultKind.ONLY_ACCEPTED | FaultKind.DUPLICATE:
                return self._openbanking_api.answer(route.call, request, fault)
            case FaultKind.BOUNCES:
                self._openbanking_api.bounce(request)
                return None
            case FaultKind.SAYS_FAILED:
                if route.open_banking:
                    return status_failed(fault.reason)
                return json_reply(200, status="FAILED", description=fault.reason)
            case FaultKind.HTTP if route.open_banking and fault.status >= 500:
                # As seen in practice.
                return float_reply(fault.status, message="Internal server error")
            case FaultKind.HTTP:
                return json_reply(fault.status, message="Error", status=str(fault.status))
            case FaultKind.HTML:
                return html_reply(200)
            case FaultKind.GARBAGE:
                return BankReply(200, b'{"TransactionID": "\xff')

    def _answer(self, route: _Route, request: BankRequest) -> BankReply:
        api = self._openbanking_api if route.open_banking else self._collections_api
        return api.answer(route.call, request)


async def _read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


async def _write(send: Send, reply: BankReply) -> None:
    headers = [
        (b"content-type", reply.content_type),
        (b"content-length", str(len(reply.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _hang_up(receive: Receive) -> None:
    """Wait for the caller to disconnect: its own timeout ends the call."""
    while (await receive())["type"] != "http.disconnect":
        pass
