"""However the clock is set, waits take as long as they would have taken, and no longer."""

import asyncio
import random
from contextlib import closing
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.security.keyring import Keyring
from services import otp
from services.domain.money import Money
from services.domain.otp import LIFE, Binding, Purpose
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.otp import Issued, NotPassed, Passed
from storage.time.timekeeper import IGNORED_JUMP_MAX
from storage.transaction import StoreTx
from tests.kit.open_databases import simulated_database
from tests.kit.settable_clock import SettableClock

KEYS = Keyring({"1": bytes(32)})
PHONE = Phone("254712345678")
LIFE_S = LIFE.total_seconds()
STEPS = st.lists(
    st.tuples(
        st.integers(0, 240),  # seconds that pass
        st.sampled_from((0, -4, 4, -5, -6, 6, -3_600, 3_600, -259_200, 259_200)),
    ),
    max_size=10,
)


def begin(tx: StoreTx) -> tuple[Binding, str]:
    tx.people.add_partner(Partner("FINSAFE"))
    person = tx.people.add_person("FINSAFE", "amina", Role.OWNER, PHONE, None, "en")
    binding = Binding(Purpose.FLOAT_PURCHASE, "FL-7K3QF9", "FINSAFE", person, Money(100), "400187")
    issued = otp.generate(tx, KEYS, random.Random(1), binding, PHONE)
    assert isinstance(issued, Issued)
    tx.outbox.add("sms", PHONE.msisdn, kind="notice", text="waits")
    tx.conn.execute("UPDATE outbox SET due_at = due_at + 2000000")
    return binding, issued.code


def wait_ms(tx: StoreTx) -> int:
    row = tx.conn.execute("SELECT due_at FROM outbox WHERE text = 'waits'").fetchone()
    return int(row[0]) - tx.now_ms


async def play(series: list[tuple[int, int]]) -> None:
    clock, passed = SettableClock(), 0
    with closing(simulated_database()) as blank:
        database = await blank.open(lambda: clock.wall, monotonic=lambda: clock.passed)
        binding, code = await database.write(begin)
        for pass_s, set_s in series:
            clock.pass_time(pass_s)
            passed += pass_s
            clock.set_clock(timedelta(seconds=set_s))
            assert await database.write(wait_ms) == 2_000_000 - passed * 1_000
            seen = await database.write(lambda tx: tx.now)
            assert abs(seen - clock.wall) <= IGNORED_JUMP_MAX
        came_of_it = await database.write(lambda tx: otp.validate(tx, KEYS, binding, code))
        assert isinstance(came_of_it, Passed if passed < LIFE_S else NotPassed)
        await database.close()


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_waits_and_codes_live_by_the_time_that_passes(series: list[tuple[int, int]]) -> None:
    asyncio.run(play(series))
