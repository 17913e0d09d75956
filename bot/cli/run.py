"""``hazina run``: serves Telegram."""

from __future__ import annotations

import click

from bot.cli.faults import exit_with, faults_as_lines
from bot.cli.settings import command_settings


@click.command()
def run() -> None:
    """Serve Telegram for real, until interrupted."""
    import asyncio

    from bot.channels.telegram.identity import BotMisconfigured
    from bot.http.server import PortUnavailable
    from bot.missing_settings import missing_settings
    from bot.observe import log
    from bot.security import lost_database
    from bot.security.desk_keys import require_keys
    from bot.security.initiator_password import with_sealed_password
    from bot.security.stored_secrets import secret_values, with_stored_secrets
    from bot.serving.descriptors import TooFewDescriptors
    from bot.serving.serve import serve

    settings = command_settings()
    with faults_as_lines():
        require_keys(settings)
        lost_database.check_not_lost(settings)
        settings = with_stored_secrets(settings)
    faults = missing_settings(settings)
    if faults:
        exit_with(*faults, "`hazina doctor` tells more; `hazina sim` needs nothing.")
    with faults_as_lines():
        settings = with_sealed_password(settings)
    log.configure(settings.log_level, secret_values(settings))
    with faults_as_lines():
        try:
            asyncio.run(serve(settings))
        except (BotMisconfigured, PortUnavailable, TooFewDescriptors) as fault:
            exit_with(str(fault))
