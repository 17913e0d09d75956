"""The admins' conversations, one file a subject."""

from __future__ import annotations

from flows.desk.api_keys import API_KEYS
from flows.desk.broadcast import BROADCAST
from flows.desk.codes import OTP
from flows.desk.decisions import ADJUST, DECIDING, RESOLVE
from flows.desk.export import EXPORT
from flows.desk.floods import FLOODS
from flows.desk.health import HEALTH
from flows.desk.jobs import CLEAN_UP, JOBS
from flows.desk.partners import NEW_PARTNER, PARTNER, PARTNERS, RESUME, SUSPEND
from flows.desk.people import INVITING, STAFF, UNLINKING
from flows.desk.reconciliation import DAYS
from flows.desk.stats import STATS
from flows.desk.terms import FEES, LIMITS, THRESHOLD
from flows.desk.traces import AUDIT, FIND, PENDING
from flows.desk.wallets import BALANCE_OF, HISTORY_OF

DESK = (
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
    FLOODS,
    API_KEYS,
    JOBS,
    CLEAN_UP,
    EXPORT,
    BROADCAST,
    STATS,
)
