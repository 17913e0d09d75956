"""Decides a hop of a USSD session: one hop, one transaction, with its page stored in it.

The gateway sends everything that was typed since the dial, again and again. What it sends twice is
answered with the same bytes; only what it adds is an answer to the page that was shown (facts: USSD
1 and 7).
"""

from __future__ import annotations

import asyncio
import hmac
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from bot.context import AppContext
from bot.turns.hop_outcome import HopDecided, HopKind
from bot.turns.phone_answers import SEPARATOR, PhoneAnswers
from services.domain.database import DatabaseUnavailable
from services.domain.ids import new_reference
from services.domain.ledger import HOUSE
from services.domain.outbox import OutboxRow
from services.domain.partner import Person
from services.domain.phone import masked_number
from services.domain.ussd import BUSY, CHANNEL, SESSION_LIFE, Hop, Page, UssdSession
from services.ports import Tx
from services.ports.database import Database

HOP_LIMIT_S = 0.9  # real seconds, after which a hop that has not begun is given up
COMMIT_LIMIT_S = 8.0  # then for one that has begun: the gateway waits 10 s (facts: USSD 2)
SESSIONS_MAX = 20  # of one phone, in ``SESSIONS_WITHIN``
SESSIONS_WITHIN = timedelta(minutes=10)
STRANGER = "en"  # whoever is not known is told in this language

_log = structlog.get_logger(__name__)


class Hops:
    """``push`` receives the messages of every commit, ``wake`` each operation that is now due."""

    def __init__(
        self,
        database: Database,
        context: AppContext,
        answers: PhoneAnswers,
        push: Callable[[Sequence[OutboxRow]], None],
        wake: Callable[[str], None],
    ) -> None:
        self._database = database
        self._context = context
        self._answers = answers
        self._push = push
        self._wake = wake

    async def answer(self, hop: Hop) -> Page:
        """The page for the hop, committed when this returns.

        It says that nothing was taken only where that is so: a hop that has not begun in
        ``HOP_LIMIT_S`` never begins. Raises ``DatabaseUnavailable`` if nothing was committed.
        """
        assert not hop.newest_only, "a repeat could not be told from the same answer twice"
        began = time.perf_counter()
        attempt = _Attempt()
        deciding = asyncio.ensure_future(self._decide_or_fault(hop, attempt))
        try:
            await asyncio.wait({deciding}, timeout=HOP_LIMIT_S)
            if not deciding.done() and not attempt.give_up():
                await asyncio.wait({deciding}, timeout=COMMIT_LIMIT_S)
        except asyncio.CancelledError:
            deciding.cancel()  # the program ends, or was killed
            raise
        if deciding.done():
            decided = deciding.result()
            self._committed(decided)
        else:
            deciding.add_done_callback(self._ended_late)
            decided = HopDecided(BUSY, HopKind.BUSY)
            if attempt.began:
                decided.page = Page(self._say(STRANGER, "unsure"), goes_on=False)
        self._record(hop, decided, time.perf_counter() - began)
        return decided.page

    def _committed(self, decided: HopDecided) -> None:
        self._push(decided.rows)
        for operation in decided.operations:
            self._wake(operation)
        self._context.wake_jobs(decided.wakes)

    def _ended_late(self, deciding: asyncio.Future[HopDecided]) -> None:
        """Nobody waits for the page any more; what it began goes on."""
        if not deciding.cancelled() and deciding.exception() is None:
            self._committed(deciding.result())

    async def _decide_or_fault(self, hop: Hop, attempt: _Attempt) -> HopDecided:
        def decide(tx: Tx) -> HopDecided:
            if not attempt.begin():
                return HopDecided(BUSY, HopKind.BUSY)
            return self._decide(tx, hop)

        try:
            return await self._database.write(decide, about=(CHANNEL, hop.phone))
        except DatabaseUnavailable:
            raise
        except Exception:  # noqa: BLE001 - logged, and answered with its reference
            return await self._fault(hop)

    def _record(self, hop: Hop, decided: HopDecided, took_s: float) -> None:
        """Log one line for the hop, without anything that was typed, and record its metrics."""
        self._context.metrics.hop(decided.kind, took_s)
        flow, _, node = (decided.at or "").partition(".")
        _log.info(
            "hop",
            gateway=hop.gateway,
            kind=decided.kind.value,
            person=decided.person,
            flow=flow or None,
            node=node or None,
            exit=decided.exit,
            reference=next(iter(decided.operations), None),
            ms=round(took_s * 1000, 1),
        )

    # In the transaction ---------------------------------------------------------------------

    def _decide(self, tx: Tx, hop: Hop) -> HopDecided:
        known = tx.ussd_sessions.find(hop.gateway, hop.session)
        if known is None:
            return self._begin(tx, hop)
        if (known.phone, known.code) != (hop.phone, hop.code):
            return self._dispute(tx, known, hop)
        if not known.goes_on or (typed := self._typed_since(known, hop)) is None:
            return HopDecided(Page(known.answer, known.goes_on), HopKind.REPEATED)
        person = tx.people.at(CHANNEL, hop.phone)
        if person is None:
            return self._end(tx, known, hop, "nobody", HopKind.NOBODY, person)
        if tx.clock.elapses_at(known.begun_at, SESSION_LIFE) <= tx.now:
            return self._end(tx, known, hop, "timed_out", HopKind.TIMED_OUT, person)
        decided = self._answers.answer(tx, hop, person, known, typed.split(SEPARATOR))
        return self._save(tx, known, hop, decided)

    def _begin(self, tx: Tx, hop: Hop) -> HopDecided:
        new = UssdSession(
            hop.gateway,
            hop.session,
            hop.phone,
            hop.code,
            hop.network,
            begun_at=tx.now,
            heard_at=tx.now,
            hops=0,
            text_length=0,
            text_digest="",
            key_id="",
            answer="",
            screen=None,
        )
        person = tx.people.at(CHANNEL, hop.phone)
        since = tx.clock.ago(SESSIONS_WITHIN)
        if tx.ussd_sessions.begun_since(hop.phone, since) >= SESSIONS_MAX:
            text = self._say(_language(person), "too_fast")  # nothing is kept of it
            return HopDecided(Page(text, goes_on=False), HopKind.TOO_FAST)
        if person is None:
            return self._end(tx, new, hop, "nobody", HopKind.NOBODY, person)
        decided = self._answers.begin(tx, hop, person)
        return self._save(tx, new, hop, decided)

    def _dispute(self, tx: Tx, known: UssdSession, hop: Hop) -> HopDecided:
        """Written down once a session: the first number's session stays as it is."""
        if known.disputed_at is None:
            tx.ussd_sessions.dispute(known.gateway, known.session)
            facts = {"phone": masked_number(known.phone), "other": masked_number(hop.phone)}
            about = f"ussd:{known.gateway}:{known.session}"
            tx.audit.add(HOUSE, CHANNEL, "ussd_disputed", about, facts)
            _log.warning("ussd session of another number", gateway=hop.gateway)
        page = Page(self._say(STRANGER, "disputed"), goes_on=False)
        return HopDecided(page, HopKind.DISPUTED)

    def _end(
        self,
        tx: Tx,
        known: UssdSession,
        hop: Hop,
        why: str,
        kind: HopKind,
        person: Person | None,
    ) -> HopDecided:
        """End the session without taking anything."""
        page = Page(self._say(_language(person), why), goes_on=False)
        decided = HopDecided(page, kind, person=None if person is None else person.id)
        return self._save(tx, known._replace(screen=None), hop, decided)

    def _save(self, tx: Tx, known: UssdSession, hop: Hop, decided: HopDecided) -> HopDecided:
        key_id = self._context.keys.pepper_id
        tx.ussd_sessions.save(
            known._replace(
                heard_at=tx.now,
                hops=known.hops + 1,
                text_length=len(hop.text),
                text_digest=self._digest(hop, hop.text, key_id),
                key_id=key_id,
                answer=decided.page.text,
                screen=decided.screen,
            )
        )
        return decided

    def _typed_since(self, known: UssdSession, hop: Hop) -> str | None:
        """What the hop adds to the text that was decided; ``None`` if it is no longer, or another
        one."""
        before, rest = hop.text[: known.text_length], hop.text[known.text_length :]
        digest = self._digest(hop, before, known.key_id)
        if not rest or not hmac.compare_digest(digest, known.text_digest):
            return None
        if not before:
            return rest
        return rest[1:] if rest.startswith(SEPARATOR) else None

    def _digest(self, hop: Hop, text: str, key_id: str) -> str:
        """Keyed, because a text may hold a PIN."""
        said = f"ussd|{hop.gateway}|{hop.session}|{text}"
        pepper = self._context.keys.pepper(key_id)
        return hmac.digest(pepper, said.encode("utf-8", "surrogatepass"), "sha256").hex()

    async def _fault(self, hop: Hop) -> HopDecided:
        reference = new_reference("F", self._context.random)
        _log.exception("hop failed", reference=reference, gateway=hop.gateway)

        def store(tx: Tx) -> HopDecided:
            known = tx.ussd_sessions.find(hop.gateway, hop.session)
            text = self._say(STRANGER, "fault", reference)
            decided = HopDecided(Page(text, goes_on=False), HopKind.FAULT)
            if known is None or (known.phone, known.code) != (hop.phone, hop.code):
                return decided  # another's session stays as it is
            return self._save(tx, known, hop, decided)

        return await self._database.write(store)

    def _say(self, language: str, key: str, reference: str = "") -> str:
        return self._context.texts.say(language, f"ussd.{key}", {"reference": reference})


def _language(person: Person | None) -> str:
    return STRANGER if person is None else person.language


class _Attempt:
    """Either begins or is given up, whichever comes first; they are on different threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given_up = False
        self.began = False

    def begin(self) -> bool:
        with self._lock:
            self.began = not self._given_up
            return self.began

    def give_up(self) -> bool:
        with self._lock:
            self._given_up = not self.began
            return self._given_up
