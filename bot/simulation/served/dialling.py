"""What people do with the keys of their phones in a served world, through a gateway of USSD."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.scripts.inbox import Mismatch
from bot.simulation.credentials import USSD_CODE
from bot.simulation.served.served_world import ControlError, ServedWorld
from bot.simulation.ussd.handset_inputs import HandsetInputs


async def dial(served: ServedWorld, person: str, code: str) -> None:
    """Raises ``ControlError`` for a code that the gateway does not pass on."""
    is_ours = code == USSD_CODE or code.startswith(f"{USSD_CODE[:-1]}*")
    if not (is_ours and code.endswith("#")):
        tail = f"{USSD_CODE[:-1]}*1*500#"
        raise ControlError(f"Nobody answers {code}. Dial {USSD_CODE}, or more in it: {tail}")
    async with _at_phone(served, person) as handsets:
        await handsets.dial(person, code)


async def dial_again(served: ServedWorld, person: str) -> None:
    """As the phone dialled last."""
    session = served.scene.handsets.session(person)
    if session is None:
        raise ControlError(f"The phone of {person} has not dialled yet.")
    await dial(served, person, session.dialled)


async def press(served: ServedWorld, person: str, typed: str) -> None:
    """Answer the page that the phone shows."""
    async with _at_phone(served, person) as handsets:
        session = handsets.session(person)
        if session is None or not session.goes_on:
            raise ControlError(f"The phone of {person} shows nothing that asks: dial first.")
        await handsets.press(person, typed, typed)


async def send_again(served: ServedWorld, person: str) -> None:
    """The gateway sends the phone's last hop once more."""
    async with _at_phone(served, person) as handsets:
        session = handsets.session(person)
        if session is None or session.shown is None:
            raise ControlError(f"The phone of {person} has no session: dial first.")
        await handsets.send_again(person)


async def hang_up(served: ServedWorld, person: str) -> None:
    async with _at_phone(served, person) as handsets:
        handsets.hang_up(person)


@asynccontextmanager
async def _at_phone(served: ServedWorld, person: str) -> AsyncIterator[HandsetInputs]:
    async with served.turn():
        if person not in served.people.phones:
            raise ControlError(f"{person} has no phone.")
        try:
            yield served.scene.handsets
        except Mismatch as mismatch:
            raise ControlError(f"No gateway takes that answer: {mismatch.came}") from None
