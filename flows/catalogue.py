"""Every flow of this program, in the order of the main menu."""

from __future__ import annotations

from functools import cache

from flows.admin import ADMIN_FLOWS
from flows.api_keys import KEYS
from flows.approvals import APPROVE
from flows.balance import BALANCE
from flows.batch import BATCH
from flows.blocks import BLOCK, BLOCKING
from flows.ceiling import CEILING
from flows.engine.session import FlowRegistry
from flows.float import FLOAT
from flows.help_groups import HELP_GROUPS
from flows.history import HISTORY
from flows.joining import JOIN
from flows.offers import OFFER_AMOUNT, OFFER_PHONE
from flows.pay import PAY
from flows.payout_freeze import THAW
from flows.people import INVITE, PEOPLE, UNLINK
from flows.pin import PIN
from flows.recipients import RECIPIENTS
from flows.settings import SETTINGS
from flows.statement import STATEMENT
from flows.topup import TOPUP
from flows.webhooks import WEBHOOKS


@cache
def all_flows() -> FlowRegistry:
    """Cached: flows are frozen, and are checked only once."""
    return FlowRegistry(
        TOPUP,
        FLOAT,
        BALANCE,
        HISTORY,
        SETTINGS,
        STATEMENT,
        PAY,
        RECIPIENTS,
        BATCH,
        APPROVE,
        INVITE,
        PEOPLE,
        UNLINK,
        KEYS,
        WEBHOOKS,
        JOIN,
        *ADMIN_FLOWS,
        BLOCKING,
        BLOCK,
        OFFER_AMOUNT,
        OFFER_PHONE,
        PIN,
        THAW,
        CEILING,
        groups=HELP_GROUPS,
    )
