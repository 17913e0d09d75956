"""``hazina sim``: a chat in this terminal with everything simulated."""

from __future__ import annotations

import sys

import click


@click.command()
@click.option("--verbose", is_flag=True, help="Show all that is logged, not only warnings.")
def sim(verbose: bool) -> None:
    """Chat here as a demo partner: bank, phones and SMS are simulated."""
    from bot.simulation.console.start import chat

    sys.exit(chat(verbose=verbose))
