"""``hazina doctor``: prints the results of its checks, as text or JSON."""

from __future__ import annotations

import sys

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding.")
@click.option("--offline", is_flag=True, help="Do not ask Telegram, NCBA and Daraja.")
def doctor(as_json: bool, offline: bool) -> None:
    """Say what is missing or wrong, and how to put it right; exit 1 if anything is."""
    import asyncio
    import json

    from bot.maintenance.doctor import examine
    from bot.observe import log

    log.configure("error")  # problems are findings, and --json must print nothing else

    async def look() -> bool:
        well = True
        async for finding in examine(online=not offline):
            click.echo(json.dumps(finding.to_json()) if as_json else str(finding))
            well = well and finding.ok
        return well

    sys.exit(0 if asyncio.run(look()) else 1)
