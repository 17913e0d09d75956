"""``hazina person``: links people without an invitation."""

from __future__ import annotations

import click

from bot.cli.faults import exit_with
from bot.cli.settings import settings_for_writing


@click.group()
def person() -> None:
    """The people of partners."""


@person.command("add")
@click.option("--partner", required=True, help="Code of the partner, such as FINSAFE.")
@click.option("--new-partner", is_flag=True, help="Add the partner too.")
@click.option("--name", required=True, help="What the partner calls this person.")
@click.option(
    "--role",
    type=click.Choice(["owner", "operator", "viewer"]),
    help="Owner if left out; of a person who is there already, as it is.",
)
@click.option("--phone", required=True, help="Registered M-PESA number.")
@click.option("--telegram", required=True, help="Numeric Telegram user id.")
@click.option("--email", help="Mail address.")
def person_add(
    partner: str,
    new_partner: bool,
    name: str,
    role: str | None,
    phone: str,
    telegram: str,
    email: str | None,
) -> None:
    """Link a Telegram account to a partner. Stop `hazina run` meanwhile."""
    import asyncio

    from bot.maintenance.people import PersonRefused, add_person

    with settings_for_writing() as settings:
        try:
            added = asyncio.run(
                add_person(
                    settings.database,
                    partner=partner,
                    new_partner=new_partner,
                    name=name,
                    role=role,
                    phone=phone,
                    telegram=telegram,
                    email=email,
                )
            )
        except PersonRefused as refused:
            exit_with(str(refused))
    click.echo(added)
