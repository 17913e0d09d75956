"""What the use cases need from outside, as protocols; ``bot.bootstrap`` chooses the
implementations."""

from services.ports.api_keys import ApiKeys
from services.ports.approvals import Approvals
from services.ports.audit import Audit
from services.ports.bank import BankStatements, Collections, FloatBank, PayoutRail
from services.ports.blocks import Blocks
from services.ports.broadcasts import Broadcasts
from services.ports.claims import Claims
from services.ports.clock import Clock, RunningClock
from services.ports.daily import DailyWork
from services.ports.desk_pins import DeskPins
from services.ports.documents import Documents
from services.ports.evidence import Evidence
from services.ports.fees import Fees
from services.ports.float_purchases import Purchases
from services.ports.floods import Floods
from services.ports.invariants import Invariants
from services.ports.invites import Invites
from services.ports.keys import Keys
from services.ports.ledger import Ledger
from services.ports.limits import Limits
from services.ports.messaging import Mailer, Sms
from services.ports.notification_preferences import NotificationPreferences
from services.ports.operations import Operations
from services.ports.otp import Otps
from services.ports.outbox import Outbox
from services.ports.partner_events import PartnerEvents
from services.ports.payments import Payments
from services.ports.people import People
from services.ports.proposals import Adjustments, Proposals
from services.ports.randomness import Random
from services.ports.reconciliation import Reconciliations
from services.ports.restores import Restores
from services.ports.secrets import Secrets
from services.ports.sessions import Sessions
from services.ports.statements import Statements
from services.ports.statistics import Statistics
from services.ports.topups import TopUps
from services.ports.trail import Trail
from services.ports.tx import Tx
from services.ports.webhooks import CheckUrl, WebhookDeliveries, Webhooks, WebhookTransport

__all__ = [
    "Adjustments",
    "ApiKeys",
    "Approvals",
    "Audit",
    "BankStatements",
    "Blocks",
    "Broadcasts",
    "CheckUrl",
    "Claims",
    "Clock",
    "Collections",
    "DailyWork",
    "DeskPins",
    "Documents",
    "Evidence",
    "Fees",
    "FloatBank",
    "Floods",
    "Invariants",
    "Invites",
    "Keys",
    "Ledger",
    "Limits",
    "Mailer",
    "NotificationPreferences",
    "Operations",
    "Otps",
    "Outbox",
    "PartnerEvents",
    "Payments",
    "PayoutRail",
    "People",
    "Proposals",
    "Purchases",
    "Random",
    "Reconciliations",
    "Restores",
    "RunningClock",
    "Secrets",
    "Sessions",
    "Sms",
    "Statements",
    "Statistics",
    "TopUps",
    "Trail",
    "Tx",
    "WebhookDeliveries",
    "WebhookTransport",
    "Webhooks",
]
