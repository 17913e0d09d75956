"""``hazina openapi``: prints the description of the HTTP API."""

from __future__ import annotations

import click


@click.command()
def openapi() -> None:
    """Print the HTTP API's OpenAPI document."""
    from bot.http.api.openapi import build, to_text
    from bot.http.api.table import ROUTES

    click.echo(to_text(build(ROUTES)), nl=False)
