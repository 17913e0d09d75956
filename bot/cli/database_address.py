"""Databases named on the command line: a path, or postgresql://…"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from services.domain.database import DatabaseAddress


class _Address(click.ParamType[Any]):
    name = "database"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> DatabaseAddress:
        from bot.environment.setting_types import database_address

        try:
            return database_address(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Server(_Address):
    name = "postgresql://…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> DatabaseAddress:
        from services.domain.database import DatabaseServer

        address = super().convert(value, param, ctx)
        if not isinstance(address, DatabaseServer):
            self.fail("is written postgresql://user@host/database", param, ctx)
        return address


ADDRESS = _Address()

server_option = click.option(
    "--database",
    "server",
    type=_Server(),
    help="Play in schemas of their own in that database; each is dropped in the end.",
)
