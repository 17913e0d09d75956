"""What admins' flows do: one file a subject, joined here for the host."""

from __future__ import annotations

from bot.acts import Act, Progress, Run, See, Suggest
from bot.admin import decisions, partners, terms

RUN: dict[str, Run] = {**partners.RUN, **terms.RUN, **decisions.RUN}
ACT: dict[str, Act] = {}
PROGRESS: dict[str, Progress] = {}
SEE: dict[str, See] = {**partners.SEE, **terms.SEE, **decisions.SEE}
SUGGEST: dict[str, Suggest] = {**partners.SUGGEST, **decisions.SUGGEST}
