"""What admins' flows do: one file a subject, joined here for the host."""

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
    reconciliation,
    search,
    stats,
    terms,
    timeline,
    wallets,
)
from bot.handlers.signatures import Act, Progress, Run, See, Suggest

RUN: dict[str, Run] = {
    **partners.RUN,
    **terms.RUN,
    **decisions.RUN,
    **search.RUN,
    **otp.RUN,
    **floods.RUN,
    **api_keys.RUN,
    **jobs.RUN,
    **stats.RUN,
    **broadcast.RUN,
}
ACT: dict[str, Act] = {**timeline.ACT, **broadcast.ACT}
PROGRESS: dict[str, Progress] = {}
SEE: dict[str, See] = {
    **partners.SEE,
    **terms.SEE,
    **decisions.SEE,
    **wallets.SEE,
    **search.SEE,
    **timeline.SEE,
    **pending.SEE,
    **reconciliation.SEE,
    **audit.SEE,
    **otp.SEE,
    **health.SEE,
    **floods.SEE,
    **api_keys.SEE,
    **jobs.SEE,
    **stats.SEE,
    **broadcast.SEE,
}
SUGGEST: dict[str, Suggest] = {
    **partners.SUGGEST,
    **decisions.SUGGEST,
    **api_keys.SUGGEST,
}
