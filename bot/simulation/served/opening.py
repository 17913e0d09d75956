"""What a served world starts with, in the words of a script's ``given`` lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.scripts.given import Given, GivenSetting, read_given
from bot.scripts.source_line import SourceLine
from bot.simulation.settings import SimulatedSettings

PARTNERS = ("DUKA", "SOKO")
_FILE = Path(__file__)
_LINES = """
partner DUKA wallet 50000.00 threshold 1000.00
partner SOKO wallet 5000.00 threshold 1000.00
person wanjiru of DUKA role owner phone 254712345678 email wanjiru@duka.example lang en
person njoki of DUKA role operator phone 254722000222 lang en
person achieng of DUKA role viewer phone 254701000333 lang en
person otieno of SOKO role owner phone 254733000111 email otieno@soko.example lang en
admin musa
admin zawadi
fee DUKA transfer fixed 25.00
fee DUKA processing fixed 0.00 percent 0.5 min 10.00 max 500.00
fee SOKO transfer fixed 25.00
fee SOKO processing fixed 0.00 percent 0.5 min 10.00 max 500.00
"""
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
FIXED = ("DATABASE", "BACKUP_DIR", "ADMIN_IDS", "API")


def opening(overrides: Mapping[str, str]) -> list[Given]:
    """Raises ``ScriptError`` for a setting that belongs to the world itself."""
    lines = enumerate(_LINES.strip().split("\n"), 1)
    givens = [read_given(SourceLine(_FILE, n, text), text) for n, text in lines]
    for name, value in overrides.items():
        at = SourceLine(_FILE, 0)
        if name.upper() in FIXED:
            raise at.error(f"{name} cannot be set for a simulated world")
        givens.append(GivenSetting(at, name, value))
    return givens


def with_raised_limits(settings: SimulatedSettings) -> SimulatedSettings:
    raised = {name: getattr(settings, name) * RAISED_TIMES for name in RAISED}
    return settings.model_copy(update=raised)
