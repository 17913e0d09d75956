"""Handlers of the admins' flows, one file a subject, joined here for the registry."""

from __future__ import annotations

from bot.handlers.admin import (
    api_keys,
    audit,
    broadcast,
    dashboard,
    decisions,
    floods,
    health,
    jobs,
    otp,
    partners,
    payouts,
    pending,
    proposing,
    reconciliation,
    search,
    stats,
    terms,
    timeline,
    wallets,
)
from bot.handlers.declaring import Handlers

HANDLERS = Handlers(
    partners.HANDLERS,
    terms.HANDLERS,
    proposing.HANDLERS,
    decisions.HANDLERS,
    wallets.HANDLERS,
    search.HANDLERS,
    timeline.HANDLERS,
    pending.HANDLERS,
    reconciliation.HANDLERS,
    audit.HANDLERS,
    otp.HANDLERS,
    health.HANDLERS,
    payouts.HANDLERS,
    dashboard.HANDLERS,
    floods.HANDLERS,
    api_keys.HANDLERS,
    jobs.HANDLERS,
    stats.HANDLERS,
    broadcast.HANDLERS,
)
