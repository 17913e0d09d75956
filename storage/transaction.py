"""One transaction as the use cases see it: the stores, and the moment it happens at."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from storage.adjustments import AdjustmentStore
from storage.api_keys import ApiKeyStore
from storage.approvals import ApprovalStore
from storage.audit import AuditStore
from storage.blocks import BlockStore
from storage.broadcasts import BroadcastStore
from storage.clock import ClockStore
from storage.daily import DailyStore
from storage.documents import DocumentStore
from storage.evidence import EvidenceStore
from storage.fees import FeeStore
from storage.floods import FloodStore
from storage.invites import InviteStore
from storage.ledger import LedgerStore
from storage.limits import LimitStore
from storage.moment import Moment
from storage.notices import NoticeStore
from storage.operations import OperationStore
from storage.otp import OtpStore
from storage.outbox import OutboxStore
from storage.payments import PaymentStore
from storage.people import PeopleStore
from storage.proposals import ProposalStore
from storage.purchases import PurchaseStore
from storage.reconciliations import ReconciliationStore
from storage.restores import RestoreStore
from storage.secrets import SecretStore
from storage.sessions import SessionStore
from storage.statements import StatementStore
from storage.statistics import StatisticsStore
from storage.topups import TopUpStore
from storage.trail import TrailStore


class SqliteTx:
    """Lives as long as its connection; ``begin`` gives each function its own moment."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        moment = Moment(datetime.fromtimestamp(0, UTC))
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
        self.notices = NoticeStore(conn)
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
    def reckoned(self) -> datetime:
        """The moment by another reading: as if nobody had ever set the clock, and time had stood
        still whenever the desk did."""
        return self._moment.reckoned

    def begin(self, now: datetime, reckoned: datetime | None = None) -> None:
        """Set the moment for the next function."""
        self._moment.begin(now, now if reckoned is None else reckoned)
        self.purchases.forget()

    def forget(self) -> None:
        """Drop what was cached: a rollback may have taken its rows back."""
        self.purchases.forget()
        self.people.forget()
        self.limits.forget()
        self.fees.forget()
        self.notices.forget()
