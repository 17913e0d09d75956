"""What admins' flows do: one file a subject, joined here for the host."""

from __future__ import annotations

from bot.acts import Act, Progress, Run, See, Suggest
from bot.admin import (
    api_keys,
    audit,
    broadcast,
    codes,
    days,
    decisions,
    floods,
    health,
    jobs,
    partners,
    pending,
    search,
    stats,
    terms,
    timeline,
    wallets,
)

RUN: dict[str, Run] = {
    **partners.RUN,
    **terms.RUN,
    **decisions.RUN,
    **search.RUN,
    **codes.RUN,
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
    **days.SEE,
    **audit.SEE,
    **codes.SEE,
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
