"""One transaction, through which everything that is stored is reached."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from services.ports.api_answers import ApiAnswers
from services.ports.api_keys import ApiKeys
from services.ports.approvals import Approvals
from services.ports.audit import Audit
from services.ports.blocks import Blocks
from services.ports.broadcasts import Broadcasts
from services.ports.claims import Claims
from services.ports.clock import RunningClock
from services.ports.daily import DailyWork
from services.ports.dashboard_logins import DashboardLogins
from services.ports.documents import Documents
from services.ports.evidence import Evidence
from services.ports.fees import Fees
from services.ports.float_purchases import Purchases
from services.ports.floods import Floods
from services.ports.invariants import Invariants
from services.ports.invites import Invites
from services.ports.ledger import Ledger
from services.ports.limits import Limits
from services.ports.notification_preferences import NotificationPreferences
from services.ports.operations import Operations
from services.ports.otp import Otps
from services.ports.outbox import Outbox
from services.ports.overview import Overview
from services.ports.partner_events import PartnerEvents
from services.ports.payments import Payments
from services.ports.people import People
from services.ports.proposals import Adjustments, Proposals
from services.ports.public_operations import PublicOperations
from services.ports.reconciliation import Reconciliations
from services.ports.restores import Restores
from services.ports.secrets import Secrets
from services.ports.sessions import Sessions
from services.ports.statements import Statements
from services.ports.statistics import Statistics
from services.ports.topups import TopUps
from services.ports.trail import Trail
from services.ports.webhooks import WebhookDeliveries, Webhooks


class Tx(Protocol):
    """One transaction. ``now`` is read once; when the clock is changed, stored waits are shifted
    with it."""

    @property
    def now(self) -> datetime: ...
    @property
    def now_ms(self) -> int:
        """The same in milliseconds since 1970."""
        ...

    @property
    def steady_now(self) -> datetime:
        """The current time had the clock never been changed and had time stood still during
        downtime."""
        ...

    @property
    def clock(self) -> RunningClock: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def topups(self) -> TopUps: ...
    @property
    def blocks(self) -> Blocks: ...
    @property
    def payments(self) -> Payments: ...
    @property
    def reconciliations(self) -> Reconciliations: ...
    @property
    def purchases(self) -> Purchases: ...
    @property
    def claims(self) -> Claims: ...
    @property
    def public_operations(self) -> PublicOperations: ...
    @property
    def partner_events(self) -> PartnerEvents: ...
    @property
    def operations(self) -> Operations: ...
    @property
    def otps(self) -> Otps: ...
    @property
    def fees(self) -> Fees: ...
    @property
    def evidence(self) -> Evidence: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def notification_preferences(self) -> NotificationPreferences: ...
    @property
    def statements(self) -> Statements: ...
    @property
    def people(self) -> People: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def invites(self) -> Invites: ...
    @property
    def api_answers(self) -> ApiAnswers: ...
    @property
    def api_keys(self) -> ApiKeys: ...
    @property
    def webhooks(self) -> Webhooks: ...
    @property
    def webhook_deliveries(self) -> WebhookDeliveries: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def proposals(self) -> Proposals: ...
    @property
    def adjustments(self) -> Adjustments: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def trail(self) -> Trail: ...
    @property
    def documents(self) -> Documents: ...
    @property
    def broadcasts(self) -> Broadcasts: ...
    @property
    def floods(self) -> Floods: ...
    @property
    def statistics(self) -> Statistics: ...
    @property
    def overview(self) -> Overview: ...
    @property
    def daily(self) -> DailyWork: ...
    @property
    def restores(self) -> Restores: ...
    @property
    def dashboard_logins(self) -> DashboardLogins: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def invariants(self) -> Invariants: ...
