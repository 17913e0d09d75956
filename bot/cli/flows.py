"""``hazina flows``: draws the conversations."""

from __future__ import annotations

import click


@click.command()
def flows() -> None:
    """Print the conversations as Mermaid state diagrams."""
    from flows.catalogue import all_flows
    from flows.engine.mermaid import diagram

    for flow in all_flows():
        click.echo(f"%% {flow.name}\n{diagram(flow)}\n")
