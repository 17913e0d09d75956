"""The simulated NCBA with both its APIs: its own books, handsets and faults."""

from __future__ import annotations

from bot.simulation.faults import Fault, FaultKind
from bot.simulation.ncba.collections_api import (
    AcceptedAccounts,
    BankReply,
    CollectionsApi,
    contradiction,
    json_reply,
    refusal,
)
from bot.simulation.ncba.faults import CALLS, MET_BY
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
from bot.simulation.simulated_api import (
    CallReply,
    CallRequest,
    SimulatedApi,
    garbage_reply,
    html_reply,
)
from services.domain.ids import RandomSource
from services.gateways.ncba.payment_notification import NotifyCredentials
from services.ports import Clock

# Credentials that sign its notifications; all are invented.
NOTIFY = NotifyCredentials(
    username="ncba-simulated",
    password="simulated-notify-password",
    secret_key="simulated-notify-key",
    paybill_no="880100",
    account_number="774451",
)

# Account queries have names of their own, which scripts do not know.
_ROUTES = {
    ("GET", "/payments/api/v1/auth/token"): "token",
    ("POST", "/payments/api/v1/auth/token"): "token",
    ("POST", "/payments/api/v1/stk-push/initiate"): "initiate",
    ("POST", "/payments/api/v1/stk-push/query"): "query",
    ("POST", "/payments/api/v1/qr/generate"): "qr",
} | {("POST", path): call for path, call in PATHS.items()}


class SimulatedBank(SimulatedApi):
    """A token is asked of either API under one name."""

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
        super().__init__(clock, CALLS, MET_BY)
        self.prompts = PromptRegistry(clock, random)
        self.paybill = Paybill(clock, self.prompts, notify)
        self.floats = FloatLedger(clock, random)
        self.statements = Statements(self.paybill, self.floats)
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

    def accept_accounts(self, which: AcceptedAccounts) -> None:
        """From now on prompts with any other ``AccountNo`` are refused."""
        self._collections_api.account_nos = which

    def set_handset(self, phone: str, does: Handset) -> None:
        self._handsets.set_action(phone, does)

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

    def mark_delivered(self, reply: CallReply) -> None:
        learned: SentPrompt | FloatBooking | None = None
        if isinstance(reply, FloatReply):
            learned = reply.reported_purchase
        elif isinstance(reply, BankReply):
            learned = reply.reported_payment
        if learned and learned.reported_at is None:
            learned.reported_at = self._clock.now()

    def _call_of(self, request: CallRequest) -> str | None:
        return _ROUTES.get((request.method, request.path))

    def _not_served(self, request: CallRequest) -> CallReply:
        return json_reply(404, message="Not found", status="404")

    def _meet(self, fault: Fault | None, call: str, request: CallRequest) -> CallReply | None:
        if fault is None or fault.kind is FaultKind.SLOW:
            return self._answer(call, request)
        open_banking = _is_open_banking(request)
        match fault.kind:
            case FaultKind.SAME_ID:
                return self._collections_api.with_previous_id(request)
            case FaultKind.TIMEOUT_BEFORE:
                return None
            case FaultKind.TIMEOUT_AFTER:
                self._answer(call, request)
                return None
            case FaultKind.REFUSE:
                refuse = float_refusal if open_banking else refusal
                return refuse(call, fault.reason)
            case FaultKind.REFUSE_AFTER:
                self._answer(call, request)
                refuse = float_refusal if open_banking else refusal
                return refuse(call, fault.reason)
            case FaultKind.TOKEN_GONE:
                self.revoke_tokens()
                return self._answer(call, request)
            case FaultKind.CONTRADICTS:
                return float_contradiction() if open_banking else contradiction()
            case FaultKind.ONLY_ACCEPTED | FaultKind.DUPLICATE:
                return self._openbanking_api.answer(call, request, fault)
            case FaultKind.BOUNCES:
                self._openbanking_api.bounce(request)
                return None
            case FaultKind.SAYS_FAILED:
                if open_banking:
                    return status_failed(fault.reason)
                return json_reply(200, status="FAILED", description=fault.reason)
            case FaultKind.HTTP if open_banking and fault.status >= 500:
                # As seen in practice.
                return float_reply(fault.status, message="Internal server error")
            case FaultKind.HTTP:
                return json_reply(fault.status, message="Error", status=str(fault.status))
            case FaultKind.HTML:
                return html_reply(200)
            case FaultKind.GARBAGE:
                return garbage_reply()

        raise AssertionError(f"{call} cannot meet {fault.kind.name}")

    def _answer(self, call: str, request: CallRequest) -> CallReply:
        api = self._openbanking_api if _is_open_banking(request) else self._collections_api
        return api.answer(call, request)


def _is_open_banking(request: CallRequest) -> bool:
    return request.path in PATHS
