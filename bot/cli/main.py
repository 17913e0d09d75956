"""The command line: ``hazina COMMAND``."""

from __future__ import annotations

import click

from bot.cli.audit import audit
from bot.cli.backup import backup, restore
from bot.cli.bench import bench
from bot.cli.copy import copy
from bot.cli.doctor import doctor
from bot.cli.flows import flows
from bot.cli.key import key
from bot.cli.migrate import migrate
from bot.cli.openapi import openapi
from bot.cli.person import person
from bot.cli.reconcile import reconcile
from bot.cli.reconcile_payouts import reconcile_payouts
from bot.cli.run import run
from bot.cli.secrets import secrets
from bot.cli.sim import sim
from bot.cli.storm import storm
from bot.cli.talk import talk
from bot.cli.terms import code, fee, limit
from bot.runtime.standard_streams import ensure_standard_streams


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hazina")
def main() -> None:
    """The chat desk where partner businesses keep the money that pays their customers."""
    ensure_standard_streams()


for _command in (
    audit,
    backup,
    bench,
    code,
    copy,
    doctor,
    fee,
    flows,
    key,
    limit,
    migrate,
    openapi,
    person,
    reconcile,
    reconcile_payouts,
    restore,
    run,
    secrets,
    sim,
    storm,
    talk,
):
    main.add_command(_command)
