"""The settings of a simulated world: only what it is given, nothing from the environment.

The environment is read for two things only: whether real credentials stand beside the
simulation, which then refuses to start, and whether colours are wanted.
"""

from __future__ import annotations

import os
from datetime import time
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.settings import Settings

ENV_FILE = Path(".env")


class SimulatedSettings(Settings):
    backups_kept: int = 0  # nothing here is worth one
    reconcile_at: time | None = None  # days pass by the hundred here

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


class _Credentials(BaseSettings):
    """What only a real run needs, read as ``Settings`` reads it; no value can be wrong here."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    telegram_bot_token: SecretStr | None = None
    ncba_username: SecretStr | None = None
    ncba_password: SecretStr | None = None
    openbanking_subscription_key: SecretStr | None = None
    openbanking_password: SecretStr | None = None
    africas_talking_api_key: SecretStr | None = None
    smtp_password: SecretStr | None = None
    hazina_keys: SecretStr | None = None
    backup_keys: SecretStr | None = None

    @property
    def named(self) -> list[str]:
        return [name.upper() for name in type(self).model_fields if getattr(self, name)]


def beside_production() -> str | None:
    """Why a simulation must not start here, in one line with the remedy."""
    if names := _Credentials().named:
        return (
            f"The environment holds real credentials ({', '.join(names)}), and a simulation does"
            f" not start beside them: run `env {' '.join(f'-u {name}' for name in names)}"
            " hazina sim`, or unset them first."
        )
    try:
        names = _Credentials(_env_file=ENV_FILE).named
    except (OSError, UnicodeDecodeError) as error:
        return f"{ENV_FILE} cannot be read to see whether it holds real credentials: {error}"
    if names:
        return (
            f"{ENV_FILE} in this folder holds real credentials ({', '.join(names)}), and a"
            " simulation does not start beside them: run `hazina sim` in another folder, or take"
            " them out first."
        )
    return None


def wants_colour() -> bool:
    """Whether a terminal may be coloured (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
