"""``hazina flows``: draws the conversations, or says who may do what in them."""

from __future__ import annotations

import click


@click.command()
@click.option("--rights", is_flag=True, help="Print who may do what, as a Markdown table.")
def flows(rights: bool) -> None:
    """Print the conversations as Mermaid state diagrams."""
    from bot.maintenance.rights import rights_table
    from flows.catalogue import all_flows
    from flows.engine.mermaid import diagram

    if rights:
        click.echo("\n".join(rights_table()))
        return
    for flow in all_flows():
        click.echo(f"%% {flow.name}\n{diagram(flow)}\n")
