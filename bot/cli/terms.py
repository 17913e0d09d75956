"""``hazina fee``, ``limit`` and ``code``: terms and code locks without the chat."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

import click

from bot.cli.faults import exit_with
from bot.cli.settings import settings_for_writing

if TYPE_CHECKING:
    from services.domain.database import DatabaseAddress


@click.group()
def fee() -> None:
    """What float costs a partner."""


@fee.command("set")
@click.option("--partner", required=True, help="Code of the partner.")
@click.option("--kind", required=True, type=click.Choice(["transfer", "processing"]))
@click.option("--fixed", default="0", show_default=True, help="Shillings of each purchase.")
@click.option("--percent", default="0", show_default=True, help="Per cent of the amount.")
@click.option("--min", "minimum", help="The least the fee is.")
@click.option("--max", "maximum", help="The most the fee is.")
def fee_set(
    partner: str, kind: str, fixed: str, percent: str, minimum: str | None, maximum: str | None
) -> None:
    """Add a version of a fee, in force from now. Stop `hazina run` meanwhile."""
    from bot.maintenance.terms import set_fee

    _run_and_report(
        lambda database: set_fee(
            database,
            partner=partner,
            kind=kind,
            fixed=fixed,
            percent=percent,
            minimum=minimum,
            maximum=maximum,
        )
    )


@click.group()
def limit() -> None:
    """How much may be moved."""


@limit.command("set")
@click.argument("name")
@click.argument("amount")
@click.option("--partner", help="Code of the partner; left out: all without their own.")
def limit_set(name: str, amount: str, partner: str | None) -> None:
    """Set a limit from now on, in shillings. Stop `hazina run` meanwhile."""
    from bot.maintenance.terms import set_limit

    _run_and_report(lambda database: set_limit(database, name=name, amount=amount, partner=partner))


@click.group()
def code() -> None:
    """One-time codes of a number."""


@code.command("status")
@click.argument("phone")
def code_status(phone: str) -> None:
    """Say whether the number is locked for too many wrong codes."""
    from bot.maintenance.terms import code_status

    _run_and_report(lambda database: code_status(database, phone))


@code.command("unlock")
@click.argument("phone")
def code_unlock(phone: str) -> None:
    """Let the number have codes again. Stop `hazina run` meanwhile."""
    from bot.maintenance.terms import unlock

    _run_and_report(lambda database: unlock(database, phone))


def _run_and_report(do: Callable[[DatabaseAddress], Coroutine[None, None, str]]) -> None:
    """Run ``do`` on the configured database, and print what it did or why it refused."""
    import asyncio

    from bot.maintenance.terms import TermsRefused

    with settings_for_writing() as settings:
        try:
            click.echo(asyncio.run(do(settings.database)))
        except TermsRefused as refused:
            exit_with(str(refused))
