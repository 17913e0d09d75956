"""The admins' flows, one file per subject."""

from __future__ import annotations

from flows.admin.api_keys import API_KEYS
from flows.admin.broadcast import BROADCAST, BROADCASTS
from flows.admin.dashboard import DASHBOARD
from flows.admin.decisions import ADJUST, DECIDING, RESOLVE
from flows.admin.export import EXPORT
from flows.admin.floods import FLOODS
from flows.admin.health import HEALTH
from flows.admin.jobs import CLEAN_UP, JOBS
from flows.admin.otp import OTP
from flows.admin.partners import NEW_PARTNER, PARTNER, PARTNERS, RESUME, SUSPEND
from flows.admin.payouts import PAYOUTS
from flows.admin.people import INVITING, STAFF, UNLINKING
from flows.admin.reconciliation import DAYS
from flows.admin.search import AUDIT, FIND, PENDING
from flows.admin.stats import STATS
from flows.admin.terms import FEES, LIMITS, THRESHOLD
from flows.admin.wallets import BALANCE_OF, HISTORY_OF

ADMIN_FLOWS = (
    PARTNERS,
    PARTNER,
    NEW_PARTNER,
    SUSPEND,
    RESUME,
    INVITING,
    STAFF,
    UNLINKING,
    FEES,
    LIMITS,
    THRESHOLD,
    RESOLVE,
    ADJUST,
    DECIDING,
    BALANCE_OF,
    HISTORY_OF,
    FIND,
    PENDING,
    DAYS,
    AUDIT,
    OTP,
    HEALTH,
    PAYOUTS,
    DASHBOARD,
    FLOODS,
    API_KEYS,
    JOBS,
    CLEAN_UP,
    EXPORT,
    BROADCAST,
    BROADCASTS,
    STATS,
)
