"""The command menu that a channel shows beside a chat, sent again only when it changes."""

from __future__ import annotations

import hashlib

from pydantic_core import to_json

from bot.context import AppContext
from bot.outbox.channel import Commands
from bot.turns.host import TurnHost
from flows.engine.engine import Engine
from flows.engine.event import Event
from flows.engine.session import Session
from services.domain.partner import Role
from services.ports import Tx


class CommandMenus:
    """Menus by role and language. A session stores the digest of the menu that its chat shows."""

    def __init__(self, engine: Engine, context: AppContext) -> None:
        self._engine = engine
        self._context = context
        self._menus: dict[tuple[Role | None, str, bool], tuple[str, Commands]] = {}

    def changed(self, tx: Tx, event: Event, session: Session) -> Commands | None:
        """The menu to show, or ``None`` if it is shown already.

        It changes with the person's role and language, and with the program's commands.
        """
        if not self._context.channel(event.channel).command_menu:
            return None
        person = tx.people.at(event.channel, event.address)  # the step may have changed them
        is_admin = (event.channel, event.address) in self._context.admins
        digest: str | None = None
        commands: Commands = ()
        if person is not None or is_admin:
            role, language = (None, "en") if person is None else (person.role, person.language)
            key = (role, language, is_admin)
            if key not in self._menus:
                host = TurnHost(self._context, tx, event, person, is_admin=is_admin)
                menu = tuple(self._engine.commands(host))
                menu_digest = hashlib.blake2s(to_json(menu), digest_size=4).hexdigest()
                self._menus[key] = (menu_digest, menu)
            digest, commands = self._menus[key]
        if session.commands == digest:
            return None
        session.commands = digest
        return commands
