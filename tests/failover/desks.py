"""Four desks, `hazina run` on a host each, and what became of what was asked of them."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.clock import system_random
from bot.simulation.credentials import (
    ACCOUNT_NUMBER,
    DARAJA_SECRET,
    FLOAT_KEY,
    FLOAT_PASSWORD,
    KEYS,
    NCBA_PASSWORD,
    SHORT_CODE,
)
from bot.simulation.daraja.credentials import CREDENTIALS as DARAJA
from bot.simulation.daraja.security_credential import seal
from bot.simulation.ncba.openbanking_api import PREFIX
from bot.simulation.ncba.prompts import PromptState
from bot.simulation.opening_balances import add_partner
from bot.simulation.payout_comparison import MpesaBooks, payout_mismatches
from bot.simulation.telegram.server import TOKEN
from services import api_keys
from services.domain.api_key import Scope
from services.domain.database import DatabaseServer
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from services.domain.topup import CREDITED
from services.ports import Tx
from storage import invariants
from storage.postgres.database import Database
from storage.postgres.engine import migrate
from storage.raw import connection
from tests.failover.cluster import Cluster
from tests.failover.events import Line, lines
from tests.failover.host_processes import HostProcesses
from tests.failover.network import Host, LabFailed
from tests.failover.outside import (
    ADDRESS,
    BANK_PORT,
    DARAJA_PORT,
    DESK_PORT,
    TELEGRAM_PORT,
    Outside,
    Person,
)

SETTLE_S = 330.0  # more than a lease: everything begun has its end, or is known to be unknown
UNKNOWN = {"SEND_UNKNOWN", "UNKNOWN"}  # by intent: a desk was killed during a call to the bank
PEOPLE_EACH = 2  # of a partner: one looks, one tops up
MUCH = Money.of("5000000.00")


class Desks:
    """A partner a host: its system calls the desk there, and its people write in chats."""

    def __init__(self, lab: Cluster) -> None:
        self._lab = lab
        self._processes = HostProcesses()
        self._people = [
            Person(f"p{number}", 700 + number, Phone(f"2547110000{number:02d}"), number % 2 == 0)
            for number in range(PEOPLE_EACH * len(lab.workers))
        ]
        self._unknown = 0  # top-ups, in the end
        self._outside = Outside(lab.workers, self._people, lab.folder)
        self._address = DatabaseServer(lab.address(lab.nodes), patroni=tuple(lab.urls))

    @property
    def names(self) -> list[str]:
        """Whose logs there are: of each host's system, and of people."""
        return [*(worker.name for worker in self._lab.workers), *self.people]

    @property
    def people(self) -> list[str]:
        """Those who look at their balances: they are answered at once, or not."""
        return [person.name for person in self._people if person.looks]

    def prepare(self) -> None:
        """Everything but the desks."""
        self._outside.start()
        asyncio.run(migrate(self._address, _now))
        self._outside.use(asyncio.run(self._seed()))

    async def _seed(self) -> dict[str, str]:
        """The systems' keys."""
        database = await Database.open(self._address, _now, shared=True)
        try:
            return await database.write(self._add_everybody)
        finally:
            await database.close()

    def _add_everybody(self, tx: Tx) -> dict[str, str]:
        keys = {}
        people = iter(self._people)
        for worker in self._lab.workers:
            code = worker.name.upper()
            add_partner(tx, Partner(code), MUCH, MUCH)
            for _ in range(PEOPLE_EACH):
                person = next(people)
                who = tx.people.add_person(code, person.name, Role.OWNER, person.phone, None, "en")
                tx.people.link("telegram", str(person.account), who)
            made = api_keys.create(
                tx, system_random(), code, [Scope.PAYOUT, Scope.READ], 30, "the lab"
            )
            assert not isinstance(made, Refusal)
            tx.api_keys.set_ceiling(made.api_key.id, MUCH)
            keys[worker.name] = made.key
        return keys

    # The desks --------------------------------------------------------------------------------

    def start(self, workers: Sequence[Host], by_libpq: bool = False) -> None:
        """``by_libpq``: they do not ask Patroni, but take the first host that is read-write. The
        primary of now is the first."""
        more = {"DATABASE": self._address.dsn, "PATRONI_URLS": ",".join(self._lab.urls)}
        if by_libpq:
            more = {"DATABASE": self._lab.address_by_libpq()}
        hazina = str(Path(sys.executable).with_name("hazina"))
        for worker in workers:
            folder = self._lab.folder / f"desk-{worker.name}"
            folder.mkdir(exist_ok=True)
            settings = _settings() | more
            self._processes.start(worker, [hazina, "run"], folder, folder / "log", settings)

    def kill(self, workers: Sequence[Host]) -> None:
        self._processes.kill(workers)

    def check_that_all_run(self) -> None:
        """Raises ``LabFailed``, also after answers that no fault explains."""
        self._processes.check_that_all_run()
        if self._outside.wrong:
            raise LabFailed(f"wrong answers: {'; '.join(self._outside.wrong[:5])}")

    # What became of it ------------------------------------------------------------------------

    def lines_of(self, name: str) -> list[Line]:
        return list(lines(self._lab.folder / f"{name}.log"))

    def lost(self, every: Sequence[Line]) -> list[str]:
        """Payouts that a system was told are taken, and that are not there."""
        there = set(self._payouts())
        systems = {worker.name for worker in self._lab.workers}
        return [
            line.event
            for line in every
            if line.kind == "applied"
            and line.event.partition("-")[0] in systems
            and line.event not in there
        ]

    def twice(self) -> int:
        """Payouts that are there, or ordered from M-PESA, more than once."""
        counts = (Counter(self._payouts()), self._outside.daraja.order_counts())
        return sum(1 for one in counts for times in one.values() if times > 1)

    def _payouts(self) -> list[str]:
        """By what their systems call them."""
        return self._lab.read(
            lambda conn: [row[0] for row in conn.execute("SELECT client_reference FROM payouts")]
        )

    def settle(self) -> list[str]:
        """Let everything end, and compare the books: what does not agree, in words."""
        self._outside.rest()
        return asyncio.run(self._settled())

    async def _settled(self) -> list[str]:
        database = await Database.open(self._address, _now, shared=True)
        try:
            ends_at = time.monotonic() + SETTLE_S
            while True:
                waiting = await database.read(lambda tx: tx.operations.waiting(1_000))
                unsettled = [one for one in waiting if one.state not in UNKNOWN]
                if not unsettled:
                    return await database.read(self._mismatches)
                if time.monotonic() > ends_at:
                    return [f"{one.many} {one.kind} are {one.state}" for one in unsettled]
                await asyncio.sleep(1)
        finally:
            await database.close()

    def _mismatches(self, tx: Tx) -> list[str]:
        daraja, bank = self._outside.daraja, self._outside.bank
        books = MpesaBooks(
            now=_now(),
            payments=daraja.payments(),
            order_counts=daraja.order_counts(),
            utility=Money(daraja.utility_cents()),
        )
        paid = Counter(
            (one.phone, one.amount_kes * 100)
            for one in bank.prompts.every()
            if one.state is PromptState.PAID
        )
        unknown = Counter(
            (one.phone.msisdn, one.amount.cents)
            for one in tx.topups.every()
            if one.state in UNKNOWN
        )
        self._unknown = unknown.total()
        credited = Counter(
            (one.phone.msisdn, one.amount.cents)
            for one in tx.topups.every()
            if one.state in CREDITED
        )
        return [
            *(str(one) for one in invariants.invariant_violations(connection(tx))),
            *payout_mismatches(tx.payouts.every(), books),
            *(
                f"{many} of {one} are paid, and not credited"
                for one, many in (paid - credited - unknown).items()
            ),
            *(
                f"{many} of {one} are credited, and not paid"
                for one, many in (credited - paid).items()
            ),
        ]

    def counted(self) -> str:
        """What there was, for a last line."""
        daraja, bank = self._outside.daraja, self._outside.bank
        topups = sum(1 for one in bank.prompts.every() if one.state is PromptState.PAID)
        tokens = len(daraja.issued_tokens())
        return (
            f"{len(daraja.paid())} payouts and {topups} top-ups, {self._unknown} of them unknown,"
            f" with {tokens} tokens of M-PESA"
        )

    def stop(self) -> None:
        self._processes.kill(self._lab.workers)
        self._outside.stop()


def _settings() -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HAZINA_KEYS": KEYS,
        "HTTP_HOST": "0.0.0.0",
        "HTTP_PORT": str(DESK_PORT),
        "API": "on",
        "API_MOVES_PER_MINUTE": "6000",
        "API_READS_PER_MINUTE": "6000",
        "FLOOD_TURNS": "1000",
        "PROMPTS_PER_PHONE_HOUR": "600",
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_BASE_URL": f"http://{ADDRESS}:{TELEGRAM_PORT}/bot",
        "NCBA_BASE_URL": f"http://{ADDRESS}:{BANK_PORT}",
        "NCBA_USERNAME": "hazina",
        "NCBA_PASSWORD": NCBA_PASSWORD,
        "NCBA_ACCOUNT_NUMBER": ACCOUNT_NUMBER,
        "OPENBANKING_BASE_URL": f"http://{ADDRESS}:{BANK_PORT}{PREFIX}",
        "OPENBANKING_SUBSCRIPTION_KEY": FLOAT_KEY,
        "OPENBANKING_USER_ID": "hazina-float",
        "OPENBANKING_PASSWORD": FLOAT_PASSWORD,
        "AFRICAS_TALKING_USERNAME": "nobody-is-sent-a-code",
        "AFRICAS_TALKING_API_KEY": "nobody-is-sent-a-code",
        "B2C_SHORT_CODE": SHORT_CODE,
        "DARAJA_BASE_URL": f"http://{ADDRESS}:{DARAJA_PORT}",
        "DARAJA_CONSUMER_KEY": DARAJA.consumer_key,
        "DARAJA_CONSUMER_SECRET": DARAJA.consumer_secret,
        "DARAJA_INITIATOR_NAME": DARAJA.initiator_name,
        "DARAJA_SECURITY_CREDENTIAL": seal(DARAJA.initiator_password),
        "DARAJA_CALLBACK_URL": "https://desk.simulated",
        "DARAJA_CALLBACK_SECRET": DARAJA_SECRET,
        "DARAJA_NETWORKS": f"{ADDRESS}/32",
        "DARAJA_CALLS_PER_SECOND": "100",
    }


def _now() -> datetime:
    return datetime.now(UTC)
