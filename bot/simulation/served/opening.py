"""What a served world starts with: the ``given`` lines of a script, and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.scripts.given import Given, GivenSetting
from bot.scripts.parse import load
from bot.scripts.source_line import SourceLine
from bot.simulation.settings import SimulatedSettings

PARTNERS = ("DUKA", "SOKO")
_FILE = Path(__file__).with_name("opening.chat")
# Programs call faster than people, and many of them share one world.
RAISED = (
    "flood_turns",
    "prompts_per_phone_hour",
    "prompts_other_phone_hour",
    "code_limit_factor",
    "api_reads_per_minute",
    "api_moves_per_minute",
    "api_waits_per_partner",
)
RAISED_TIMES = 10
# The world decides these: another value would reach beyond it, leave its admins out, or have no
# effect.
FIXED = ("DATABASE", "BACKUP_DIR", "ADMIN_IDS", "API", "USSD_SECRET", "USSD_CODES")


def opening() -> Sequence[Given]:
    return load(_FILE).givens


def opening_settings(overrides: Mapping[str, str]) -> Sequence[Given]:
    """Settings by name, which hold in each world. Raises ``ScriptError`` for one that belongs to
    the world itself."""
    givens = []
    for name, value in overrides.items():
        at = SourceLine(_FILE, 0, f"given setting {name} {value}")
        if name.upper() in FIXED:
            raise at.error(f"{name} cannot be set for a simulated world")
        givens.append(GivenSetting(at, name, value))
    return givens


def with_raised_limits(settings: SimulatedSettings) -> SimulatedSettings:
    raised = {name: getattr(settings, name) * RAISED_TIMES for name in RAISED}
    return settings.model_copy(update=raised)
