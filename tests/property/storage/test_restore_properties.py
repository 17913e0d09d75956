"""After a restore from any backup, the program sends nothing that it may have sent before."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.bank import Accepted, NotSent, Succeeded, Unknown
from services.domain.float_purchase import PurchaseState
from services.domain.money import Money
from services.domain.topup import TopUpState
from storage.after_restore import REASON, recover_after_restore
from storage.sqlite import snapshots
from storage.stores.restores import mark
from storage.transaction import StoreTx
from tests.kit.float_buyer import FloatBuyer
from tests.kit.plain_store import PlainStore, connect
from tests.kit.topup_driver import TopUpDriver

S, T = PurchaseState, TopUpState
HELD = (S.AUTHORISED, S.SUBMITTING, S.UNKNOWN)


class LiveDatabase:
    """Its people act, and its workers send when told to. A backup is a copy of its file, or on the
    server what it was when it was marked as a backup is made."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.backup = folder / "backup.db"
        self.store = PlainStore(path)
        self.buyer = FloatBuyer(self.store)
        self.buyer.fund()
        self.worker = TopUpDriver(self.store)
        self.worker.events = 10_000  # distinct from the events of ``FloatBuyer``
        self.had: set[str] = set()  # references that the bank may have received

    def put_back(self) -> None:
        """Restore the backup. Later changes are lost, but the bank and people remember them."""
        if self.store.is_served:
            self.store.conn.execute("ROLLBACK TO backup")
            mark(self.store.conn, self.backed_up_at)
        else:
            self.store.conn.rollback()
            self.store.conn.close()
            shutil.copyfile(self.backup, self.path)
            self.store.conn = connect(self.path)
            self.store.conn.execute("BEGIN IMMEDIATE")
        self.store.tx = StoreTx(self.store.conn)
        self.store.do(recover_after_restore)
        pause = self.store.tx.payout_pauses.standing()
        assert pause is not None, "the statement must first tell what M-PESA paid meanwhile"
        assert pause.why == REASON

    def back_up(self) -> None:
        self.backed_up_at = self.store.now
        if self.store.is_served:
            self.store.conn.execute("SAVEPOINT backup")
            return
        self.store.conn.execute("COMMIT")
        snapshots.copy(self.path, self.backup, self.backed_up_at)
        self.store.conn.execute("BEGIN IMMEDIATE")

    def _purchases(self, *states: PurchaseState) -> list[str]:
        return [one.reference for one in self.store.tx.purchases.every() if one.state in states]

    # Events ---------------------------------------------------------------------------------

    def quotes(self) -> None:
        self.buyer.request(Money(100_000), str(self.buyer.events % 2))

    def says_yes(self) -> None:
        for reference in self._purchases(S.QUOTED):
            self.buyer.confirm(reference)

    def types_every_code(self) -> None:
        """Type ended codes as well: their messages are still on the phone."""
        for reference in self.buyer.codes:
            if self.store.tx.purchases.get(reference) is not None:
                self.buyer.type(reference)

    def tops_up(self) -> None:
        self.worker.start()

    def sends(self, outcome: str = "nothing") -> None:
        """Workers take what is due; each request goes to the bank at most once, ever."""
        for purchase in self.buyer.scan()[0]:
            if purchase.state is S.AUTHORISED:
                submitting = self.buyer.begin(purchase)
                assert submitting is not None
                self._leaves(purchase.reference)
                if outcome == "answered":
                    self.buyer.answered(submitting, Succeeded(None, "Success"))
                elif outcome == "unclear":
                    self.buyer.answered(submitting, Unknown("read timeout"))
        for topup in self.worker.scan()[0]:
            if topup.state is T.CREATED:
                sending = self.worker.begin(topup)
                assert sending is not None
                self._leaves(topup.reference)
                if outcome == "answered":
                    self.worker.initiated(sending, Accepted(topup.reference, None, "ok"))
                elif outcome == "unclear":
                    self.worker.initiated(sending, Unknown("read timeout"))

    def _leaves(self, reference: str) -> None:
        assert reference not in self.had, f"{reference} is sent a second time"
        self.had.add(reference)

    def gets_no_token(self) -> None:
        for purchase in self.buyer.scan()[0]:
            if purchase.state is S.AUTHORISED:
                self.buyer.answered(purchase, NotSent("no token"))

    def waits(self, seconds: int) -> None:
        self.store.now += timedelta(seconds=seconds)


def _sends(outcome: str) -> Callable[[LiveDatabase], None]:
    return lambda live: live.sends(outcome)


def _waits(seconds: int) -> Callable[[LiveDatabase], None]:
    return lambda live: live.waits(seconds)


steps = st.lists(
    st.sampled_from(
        [
            LiveDatabase.quotes,
            LiveDatabase.says_yes,
            LiveDatabase.types_every_code,
            LiveDatabase.tops_up,
            LiveDatabase.gets_no_token,
            *(_sends(outcome) for outcome in ("nothing", "answered", "unclear")),
            *(_waits(seconds) for seconds in (1, 40, 600, 3_600)),
        ]
    ),
    max_size=6,
)

# How far the last purchase and the last top-up have come when the backup is taken.
ALL_THE_WAY = (
    LiveDatabase.tops_up,
    LiveDatabase.quotes,
    LiveDatabase.says_yes,
    LiveDatabase.types_every_code,
    _sends("nothing"),
)


@settings(max_examples=15, deadline=None)
@given(before=steps, reached=st.integers(1, len(ALL_THE_WAY)), meanwhile=steps, later=steps)
def test_nothing_is_sent_twice_and_no_hold_is_let_go_without_the_banks_word(
    before: list[Callable[[LiveDatabase], None]],
    reached: int,
    meanwhile: list[Callable[[LiveDatabase], None]],
    later: list[Callable[[LiveDatabase], None]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        live = LiveDatabase(folder / "hazina.db", folder)
        for step in (*before, *ALL_THE_WAY[:reached]):
            step(live)
        live.back_up()
        held = live._purchases(*HELD)
        for step in (*meanwhile, *ALL_THE_WAY[2:]):
            step(live)
        live.put_back()
        for step in (*later, *ALL_THE_WAY):
            step(live)
            assert set(held) <= set(live._purchases(S.UNKNOWN))
        assert live.store.tx.invariants.violations() == []
        live.store.close()
