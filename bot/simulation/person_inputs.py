"""What people in a script do, delivered to the product through their channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.channels.terminal import event_from_line
from bot.scripts.stage import CannotDo, Option, Shown
from bot.simulation.record import Said
from bot.simulation.stage_people import StagePeople
from bot.simulation.telegram.body import Upload
from bot.simulation.world import World
from flows.engine.event import Event, EventKind, file_event

if TYPE_CHECKING:
    from bot.simulation.telegram.server import TelegramApi

FOREIGN_MESSAGE = 2_000_000_000  # id of a message sent before the script starts


@dataclass(slots=True)
class _Last:
    """The last event, kept for redelivery."""

    event: Event | None = None
    update_id: int | None = None


class PersonInputs:
    def __init__(
        self,
        world: World,
        channel: str,
        people: StagePeople,
        events_before: int,
        on_said: Callable[[Said], None],
    ) -> None:
        """Terminal event ids are numbers above ``events_before``. ``on_said`` is told of each
        input before."""
        self._on_said = on_said
        self._world = world
        self._channel = channel
        self._people = people
        self._count = events_before
        self._last = _Last()

    def say(self, name: str, text: str, copies: int = 1) -> None:
        self._on_said(Said(name, text, text))
        for _ in range(copies):
            if self._world.telegram is not None:
                self._updated(self._world.telegram.user_types(self._user(name), text))
            else:
                self._submit(event_from_line(self._people.addresses[name], self._event_id(), text))

    def tap(
        self,
        name: str,
        screen: Shown,
        option: Option,
        copies: int = 1,
        written: str | None = None,
    ) -> None:
        """``written`` unless a script would write the option's id."""
        self._on_said(Said(name, option.label, written or f"[{option.id}]"))
        for _ in range(copies):
            if self._world.telegram is not None:
                self._updated(
                    self._world.telegram.user_taps(
                        self._user(name), int(screen.message_id), option.data
                    )
                )
                continue
            turn, _, option_id = option.data.partition(":")
            self._submit(
                Event(
                    self._channel,
                    self._people.addresses[name],
                    self._event_id(),
                    EventKind.TAP,
                    turn=int(turn),
                    option=option_id,
                    message_id=screen.message_id,
                )
            )

    def share_contact(self, name: str, of: str | None, copies: int = 1) -> None:
        owner = of or name
        if owner not in self._people.addresses:
            raise CannotDo(f"share the contact of {owner}: nobody is called so")
        phone = self._people.phones.get(owner, "254700000000")
        self._on_said(Said(name, phone, "<contact>" if of is None else f"<contact of {of}>"))
        for _ in range(copies):
            if self._world.telegram is not None:
                self._updated(
                    self._world.telegram.user_shares_contact(
                        self._user(name), phone, owner_id=self._user(owner)
                    )
                )
            else:
                self._not_text(name, EventKind.OTHER)

    def send_other(self, name: str, what: str, copies: int = 1) -> None:
        self._on_said(Said(name, what, f"<{what}>"))
        for _ in range(copies):
            if self._world.telegram is None:
                self._not_text(name, EventKind.OTHER)
            elif what == "photo":
                self._updated(self._world.telegram.user_sends_photo(self._user(name)))
            else:
                self._updated(self._world.telegram.user_sends_sticker(self._user(name)))

    def send_file(self, name: str, file: str, content: bytes, copies: int = 1) -> None:
        self._on_said(Said(name, file, f"<file {file}>", content=content))
        for _ in range(copies):
            if self._world.telegram is not None:
                upload = Upload(file, "text/csv", content)
                self._updated(self._world.telegram.user_sends_document(self._user(name), upload))
                continue
            address, event_id = self._people.addresses[name], self._event_id()
            self._submit(file_event(self._channel, address, event_id, file, content, event_id))

    def edit_last(self, name: str, text: str, copies: int = 1) -> None:
        self._on_said(Said(name, text, f"<edit> {text}"))
        for _ in range(copies):
            if self._world.telegram is None:
                self._not_text(name, EventKind.OTHER)
                continue
            try:
                update_id = self._world.telegram.user_edits(self._user(name), text)
            except LookupError:
                update_id = self._edits_unknown(self._world.telegram, self._user(name), text)
            self._updated(update_id)

    def dial(self, name: str, code: str, copies: int = 1) -> None:
        self._on_said(Said(name, code, f"<dial {code}>"))
        for _ in range(copies):
            if self._world.telegram is None:
                self._not_text(name, EventKind.OTHER)
            else:
                self._updated(self._world.telegram.user_sends_sticker(self._user(name)))

    @property
    def can_redeliver(self) -> bool:
        """Whether there is an event to deliver again."""
        return self._last != _Last()

    def forget_last(self) -> None:
        """Called when somebody else does something."""
        self._last = _Last()

    def redeliver(self) -> None:
        if self._last.event is not None:
            self._world.submit(self._last.event)
        elif self._last.update_id is not None:
            assert self._world.telegram is not None
            self._world.telegram.resend(self._last.update_id)

    def _edits_unknown(self, telegram: TelegramApi, user: int, text: str) -> int:
        """Edit a message the product has never seen, for somebody who has written nothing yet."""
        telegram.open_chat(user)
        now = int(self._world.clock.true_now().timestamp())
        return telegram.send_raw(
            "edited_message",
            {
                "message_id": FOREIGN_MESSAGE,
                "from": {"id": user, "is_bot": False, "first_name": f"User {user}"},
                "chat": {"id": user, "type": "private"},
                "date": now,
                "edit_date": now,
                "text": text,
            },
        )

    def _not_text(self, name: str, kind: EventKind) -> None:
        self._submit(Event(self._channel, self._people.addresses[name], self._event_id(), kind))

    def _submit(self, event: Event) -> None:
        self._last = _Last(event=event)
        self._world.submit(event)

    def _updated(self, update_id: int) -> None:
        self._last = _Last(update_id=update_id)

    def _event_id(self) -> str:
        self._count += 1
        return str(self._count)

    def _user(self, name: str) -> int:
        return int(self._people.addresses[name])
