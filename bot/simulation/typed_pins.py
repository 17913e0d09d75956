"""Which of what people have typed is a desk PIN that counts: only its digest is stored."""

from __future__ import annotations

from bot.scripts.given import GivenPartner
from bot.security.keyring import Keyring
from bot.simulation.credentials import KEYS
from bot.simulation.record import Said
from bot.simulation.scene import Scene
from services.domain.desk_pin import digest, read_pin
from services.ports import Tx


async def set_pins(scene: Scene) -> list[str]:
    """Those of the people of the given partners, in no order."""
    said = [entry.written for entry in scene.record.entries if isinstance(entry, Said)]
    typed = {pin for text in said if (pin := read_pin(text)) is not None}
    partners = [given.code for given in scene.givens if isinstance(given, GivenPartner)]
    keys = Keyring.read(KEYS)

    def find(tx: Tx) -> list[str]:
        found = []
        for person in (person for code in partners for person in tx.people.of(code)):
            pin = tx.desk_pins.find(person.id)
            if pin is not None:
                pepper = keys.pepper(pin.pepper_id)
                found += [one for one in typed if digest(pepper, person.id, one) == pin.digest]
        return found

    return await scene.world.app.database.read(find)
