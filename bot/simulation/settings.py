"""Settings of a simulated world: only those passed in, none from the environment.

The environment is read for two things: whether it holds real credentials, in which case the
simulation refuses to start, and whether colours are wanted.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import time

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from bot.environment import env_file
from bot.settings import Settings

CREDENTIALS = (  # needed only by a real run
    "TELEGRAM_BOT_TOKEN",
    "NCBA_USERNAME",
    "NCBA_PASSWORD",
    "OPENBANKING_SUBSCRIPTION_KEY",
    "OPENBANKING_PASSWORD",
    "DARAJA_CONSUMER_KEY",
    "DARAJA_CONSUMER_SECRET",
    "DARAJA_SECURITY_CREDENTIAL",
    "DARAJA_INITIATOR_PASSWORD",
    "AFRICAS_TALKING_API_KEY",
    "SMTP_PASSWORD",
    "HAZINA_KEYS",
    "BACKUP_KEYS",
)


class SimulatedSettings(Settings):
    backups_kept: int = 0  # simulated data is not worth a backup
    reconcile_at: time | None = None  # simulated days pass by the hundred

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def reason_not_to_start() -> str | None:
    """Why a simulation must not start here, in one line with the remedy."""
    if names := _credentials(os.environ):
        return (
            f"The environment holds real credentials ({', '.join(names)}), and a simulation does"
            f" not start beside them: run `env {' '.join(f'-u {name}' for name in names)}"
            " hazina sim`, or unset them first."
        )
    try:
        names = _credentials(env_file.read_env_file())
    except env_file.EnvFileFault as fault:
        return f"Whether real credentials are here cannot be read: {fault}"
    if names:
        return (
            f"{env_file.ENV_FILE} in this folder holds real credentials ({', '.join(names)}), and a"
            " simulation does not start beside them: run `hazina sim` in another folder, or take"
            " them out first."
        )
    return None


def _credentials(values: Mapping[str, str]) -> list[str]:
    held = {name.upper() for name, value in values.items() if value}
    return [name for name in CREDENTIALS if name in held]


def wants_colour() -> bool:
    """Whether the terminal may use colours (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
