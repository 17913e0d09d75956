"""Handlers of the admins' flows, one file a subject, collected here for the registry."""

from __future__ import annotations

from bot.handlers.admin import (
    api_keys,
    audit,
    broadcast,
    decisions,
    floods,
    health,
    jobs,
    otp,
    partners,
    pending,
    proposing,
    reconciliation,
    search,
    stats,
    terms,
    timeline,
    wallets,
)
from bot.handlers.signatures import Action, Suggester, UseCase, ViewBuilder

USE_CASES: dict[str, UseCase] = {
    **partners.USE_CASES,
    **terms.USE_CASES,
    **proposing.USE_CASES,
    **decisions.USE_CASES,
    **search.USE_CASES,
    **otp.USE_CASES,
    **floods.USE_CASES,
    **api_keys.USE_CASES,
    **jobs.USE_CASES,
    **stats.USE_CASES,
    **broadcast.USE_CASES,
}
ACTIONS: dict[str, Action] = {**timeline.ACTIONS, **broadcast.ACTIONS}
VIEWS: dict[str, ViewBuilder] = {
    **partners.VIEWS,
    **terms.VIEWS,
    **proposing.VIEWS,
    **decisions.VIEWS,
    **wallets.VIEWS,
    **search.VIEWS,
    **timeline.VIEWS,
    **pending.VIEWS,
    **reconciliation.VIEWS,
    **audit.VIEWS,
    **otp.VIEWS,
    **health.VIEWS,
    **floods.VIEWS,
    **api_keys.VIEWS,
    **jobs.VIEWS,
    **stats.VIEWS,
    **broadcast.VIEWS,
}
SUGGESTERS: dict[str, Suggester] = {
    **partners.SUGGESTERS,
    **proposing.SUGGESTERS,
    **api_keys.SUGGESTERS,
}
