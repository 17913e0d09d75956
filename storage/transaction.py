"""One transaction (``services.ports.Tx``): the stores and the current time."""

from __future__ import annotations

from datetime import UTC, datetime

from storage.locks import NO_LOCKS, Locks
from storage.sql import Connection
from storage.stores.adjustments import AdjustmentStore
from storage.stores.api_answers import ApiAnswerStore
from storage.stores.api_keys import ApiKeyStore
from storage.stores.approvals import ApprovalStore
from storage.stores.audit import AuditStore
from storage.stores.bank_tokens import BankTokenStore
from storage.stores.blocks import BlockStore
from storage.stores.broadcasts import BroadcastStore
from storage.stores.cache_version import CacheVersions
from storage.stores.claims import ClaimStore
from storage.stores.clock import ClockStore
from storage.stores.daily import DailyStore
from storage.stores.dashboard_logins import DashboardLoginStore
from storage.stores.desk_pins import DeskPinStore
from storage.stores.documents import DocumentStore
from storage.stores.evidence import EvidenceStore
from storage.stores.fees import FeeStore
from storage.stores.float_purchases import PurchaseStore
from storage.stores.floods import FloodStore
from storage.stores.invariants import InvariantStore
from storage.stores.invites import InviteStore
from storage.stores.ledger import LedgerStore
from storage.stores.limits import LimitStore
from storage.stores.mpesa_balances import MpesaBalanceStore
from storage.stores.notification_preferences import NoticeStore
from storage.stores.operations import OperationStore
from storage.stores.otp import OtpStore
from storage.stores.outbox import OutboxStore
from storage.stores.overview import OverviewStore
from storage.stores.partner_events import PartnerEventStore
from storage.stores.payments import PaymentStore
from storage.stores.payout_batches import PayoutBatchStore
from storage.stores.payout_messages import PayoutMessageStore
from storage.stores.payout_pauses import PayoutPauseStore
from storage.stores.payouts import PayoutStore
from storage.stores.people import PeopleStore
from storage.stores.proposals import ProposalStore
from storage.stores.public_batches import PublicBatchStore
from storage.stores.public_operations import OperationChanges, PublicOperationStore
from storage.stores.recipients import RecipientStore
from storage.stores.reconciliation import ReconciliationStore
from storage.stores.restores import RestoreStore
from storage.stores.secrets import SecretStore
from storage.stores.sessions import SessionStore
from storage.stores.short_code_lines import ShortCodeLineStore
from storage.stores.statements import StatementStore
from storage.stores.statistics import StatisticsStore
from storage.stores.topups import TopUpStore
from storage.stores.trail import TrailStore
from storage.stores.ussd import UssdEventStore, UssdSessionStore
from storage.stores.webhook_deliveries import WebhookDeliveryStore
from storage.stores.webhooks import WebhookStore
from storage.time.transaction_time import TransactionTime


class StoreTx:
    """Lives as long as its connection; ``begin`` sets the time for each function."""

    def __init__(self, conn: Connection, locks: Locks = NO_LOCKS) -> None:
        time = TransactionTime(datetime.fromtimestamp(0, UTC))
        self.conn = conn
        self._time = time
        versions = CacheVersions(conn, time)
        self.public_operations = PublicOperationStore(conn)
        self.public_batches = PublicBatchStore(conn)
        changes = OperationChanges(self.public_operations, self.public_batches, locks)
        self.webhooks = WebhookStore(conn, time)
        self.partner_events = PartnerEventStore(conn, time, changes, self.webhooks)
        self.ledger = LedgerStore(conn, time, changes, locks)
        self.topups = TopUpStore(conn, time, changes, locks)
        self.blocks = BlockStore(conn)
        self.payments = PaymentStore(conn, time, changes)
        self.purchases = PurchaseStore(conn, time, changes, locks)
        self.payouts = PayoutStore(conn, time, changes, locks)
        self.payout_batches = PayoutBatchStore(conn, time, changes, locks)
        self.recipients = RecipientStore(conn, time)
        self.payout_messages = PayoutMessageStore(conn, time)
        self.payout_pauses = PayoutPauseStore(conn, time)
        self.mpesa_balances = MpesaBalanceStore(conn, time)
        self.short_code_lines = ShortCodeLineStore(conn, time)
        self.claims = ClaimStore(conn, time, self.purchases.forget)
        self.reconciliations = ReconciliationStore(conn, time)
        self.operations = OperationStore(conn, time)
        self.otps = OtpStore(conn, time)
        self.desk_pins = DeskPinStore(conn, time)
        self.fees = FeeStore(conn, time, versions)
        self.evidence = EvidenceStore(conn, time)
        self.limits = LimitStore(conn, time, versions)
        self.people = PeopleStore(conn, time, versions, locks)
        self.notification_preferences = NoticeStore(conn, time, versions)
        self.statistics = StatisticsStore(conn)
        self.overview = OverviewStore(conn, time)
        self.statements = StatementStore(conn)
        self.documents = DocumentStore(conn, time)
        self.sessions = SessionStore(conn, time, locks)
        self.outbox = OutboxStore(conn, time)
        self.trail = TrailStore(conn, time)
        self.ussd_sessions = UssdSessionStore(conn, time)
        self.ussd_events = UssdEventStore(conn, time)
        self.audit = AuditStore(conn, time)
        self.invites = InviteStore(conn, time)
        self.approvals = ApprovalStore(conn, time, changes)
        self.api_keys = ApiKeyStore(conn, time, locks)
        self.api_answers = ApiAnswerStore(conn, time)
        self.webhook_deliveries = WebhookDeliveryStore(conn, time)
        self.broadcasts = BroadcastStore(conn, time)
        self.bank_tokens = BankTokenStore(conn, time)
        self.clock = ClockStore(conn, time)
        self.daily = DailyStore(conn)
        self.restores = RestoreStore(conn, time)
        self.dashboard_logins = DashboardLoginStore(conn, time)
        self.floods = FloodStore(conn, time)
        self.secrets = SecretStore(conn, time)
        self.proposals = ProposalStore(conn, time, locks)
        self.adjustments = AdjustmentStore(conn, time, changes)
        self.invariants = InvariantStore(conn)

    @property
    def now(self) -> datetime:
        return self._time.now

    @property
    def now_ms(self) -> int:
        return self._time.ms

    @property
    def steady_now(self) -> datetime:
        """The time without clock steps and downtime: it only advances while the service runs."""
        return self._time.steady_now

    def begin(self, now: datetime, steady_now: datetime | None = None) -> None:
        """Set the time for the next function."""
        self._time.begin(now, now if steady_now is None else steady_now)
        self.purchases.forget()
        self.partner_events.forget()

    def end(self) -> frozenset[str]:
        """Call at the end of each function that may write. Returns the references of operations
        that have changed for their partners' systems."""
        return self.partner_events.record_changes()

    def forget(self) -> None:
        """Drop cached rows, which a rollback may have undone."""
        self.partner_events.forget()
        self.purchases.forget()
        self.people.forget()
        self.limits.forget()
        self.fees.forget()
        self.notification_preferences.forget()
