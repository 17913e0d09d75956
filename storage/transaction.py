"""One transaction as the use cases see it: the stores and the current time."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from storage.stores.adjustments import AdjustmentStore
from storage.stores.api_keys import ApiKeyStore
from storage.stores.approvals import ApprovalStore
from storage.stores.audit import AuditStore
from storage.stores.blocks import BlockStore
from storage.stores.broadcasts import BroadcastStore
from storage.stores.clock import ClockStore
from storage.stores.daily import DailyStore
from storage.stores.documents import DocumentStore
from storage.stores.evidence import EvidenceStore
from storage.stores.fees import FeeStore
from storage.stores.float_purchases import PurchaseStore
from storage.stores.floods import FloodStore
from storage.stores.invites import InviteStore
from storage.stores.ledger import LedgerStore
from storage.stores.limits import LimitStore
from storage.stores.notification_preferences import NoticeStore
from storage.stores.operations import OperationStore
from storage.stores.otp import OtpStore
from storage.stores.outbox import OutboxStore
from storage.stores.payments import PaymentStore
from storage.stores.people import PeopleStore
from storage.stores.proposals import ProposalStore
from storage.stores.reconciliation import ReconciliationStore
from storage.stores.restores import RestoreStore
from storage.stores.secrets import SecretStore
from storage.stores.sessions import SessionStore
from storage.stores.statements import StatementStore
from storage.stores.statistics import StatisticsStore
from storage.stores.topups import TopUpStore
from storage.stores.trail import TrailStore
from storage.time.transaction_time import TransactionTime


class SqliteTx:
    """Lives as long as its connection; ``begin`` sets the time for each function."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        moment = TransactionTime(datetime.fromtimestamp(0, UTC))
        self.conn = conn
        self._moment = moment
        self.ledger = LedgerStore(conn, moment)
        self.topups = TopUpStore(conn, moment)
        self.blocks = BlockStore(conn)
        self.payments = PaymentStore(conn, moment)
        self.purchases = PurchaseStore(conn, moment)
        self.reconciliations = ReconciliationStore(conn, moment)
        self.operations = OperationStore(conn, moment)
        self.otps = OtpStore(conn, moment)
        self.fees = FeeStore(conn, moment)
        self.evidence = EvidenceStore(conn, moment)
        self.limits = LimitStore(conn, moment)
        self.people = PeopleStore(conn, moment)
        self.notification_preferences = NoticeStore(conn)
        self.statistics = StatisticsStore(conn)
        self.statements = StatementStore(conn)
        self.documents = DocumentStore(conn, moment)
        self.sessions = SessionStore(conn, moment)
        self.outbox = OutboxStore(conn, moment)
        self.trail = TrailStore(conn, moment)
        self.audit = AuditStore(conn, moment)
        self.invites = InviteStore(conn, moment)
        self.approvals = ApprovalStore(conn, moment)
        self.api_keys = ApiKeyStore(conn, moment)
        self.broadcasts = BroadcastStore(conn, moment)
        self.clock = ClockStore(conn, moment)
        self.daily = DailyStore(conn)
        self.restores = RestoreStore(conn, moment)
        self.floods = FloodStore(conn, moment)
        self.secrets = SecretStore(conn, moment)
        self.proposals = ProposalStore(conn, moment)
        self.adjustments = AdjustmentStore(conn)

    @property
    def now(self) -> datetime:
        return self._moment.now

    @property
    def now_ms(self) -> int:
        return self._moment.ms

    @property
    def steady_now(self) -> datetime:
        """The time without clock steps and downtime: it only advances while the service runs."""
        return self._moment.steady_now

    def begin(self, now: datetime, steady_now: datetime | None = None) -> None:
        """Set the time for the next function."""
        self._moment.begin(now, now if steady_now is None else steady_now)
        self.purchases.forget()

    def forget(self) -> None:
        """Drop cached rows, which a rollback may have undone."""
        self.purchases.forget()
        self.people.forget()
        self.limits.forget()
        self.fees.forget()
        self.notification_preferences.forget()
