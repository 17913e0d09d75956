"""After a restore, nothing that may have been sent is sent again, and no hold is released."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services import float_purchases, float_quotes, float_settlement, topup_settlement
from services.domain.approval import Decision
from services.domain.float_purchase import PurchaseState
from services.domain.money import Money
from services.domain.otp import OtpStatus
from services.domain.topup import TopUpState
from storage.transaction import StoreTx
from tests.kit import toy_kind
from tests.kit.float_buyer import SUCCESS, FloatBuyer, in_state
from tests.kit.plain_store import START
from tests.kit.restored_store import HELD, Old, S, T, opened, sound
from tests.kit.topup_driver import TopUpDriver

LATER = [timedelta(seconds=1), timedelta(seconds=40), timedelta(hours=1), timedelta(days=3)]


@pytest.mark.parametrize("after", LATER, ids=str)
@pytest.mark.parametrize("state", [S.AUTHORISED, S.SUBMITTING])
async def test_a_purchase_that_may_have_been_sent_is_unknown_and_its_money_stays_held(
    old: Old, buyer: FloatBuyer, state: PurchaseState, after: timedelta
) -> None:
    reference = in_state(buyer, state)
    available = buyer.available()
    file = old.copy()
    database = await opened(file, after)
    work, settled = await database.write(lambda tx: float_settlement.claim(tx, HELD, 100, 100))
    assert not [one for one in work if one.state is S.AUTHORISED]
    assert settled == []

    def look(tx: StoreTx) -> None:
        purchase = tx.purchases.get(reference)
        assert purchase is not None
        assert purchase.state is S.UNKNOWN
        assert purchase.can_be_queried
        assert purchase.due_at is not None
        said = tx.evidence.last(reference, 1)[0]
        assert (said.kind, said.source) == ("unknown", "restore")
        assert f"backup of {START:%Y-%m-%d %H:%M:%S}" in said.said
        assert tx.evidence.open_review_reasons(reference) == ["unknown"]
        buyer.store.tx = tx
        assert buyer.available() == available

    await database.read(look)
    await sound(database)
    await database.close()


async def test_a_kind_that_the_recovery_does_not_know_stops_the_start(
    old: Old, buyer: FloatBuyer
) -> None:
    for statement in toy_kind.MIGRATION:
        old.conn.execute(statement)
    old.do(lambda tx: toy_kind.begin(tx, "TY-222222", partner="DEMO"))
    with pytest.raises(AssertionError, match="TY-222222 would be sent again"):
        await opened(old.copy())


@pytest.mark.parametrize("state", [S.AUTHORISED, S.SUBMITTING])
async def test_the_banks_word_settles_it_afterwards(
    old: Old, buyer: FloatBuyer, state: PurchaseState
) -> None:
    reference = in_state(buyer, state)
    database = await opened(old.copy())

    def ask(tx: StoreTx) -> PurchaseState:
        purchase = tx.purchases.get(reference)
        assert purchase is not None
        settled = float_settlement.record_status(tx, purchase, SUCCESS, 1)
        assert settled is not None
        return settled.purchase.state

    assert await database.write(ask) is S.SUCCEEDED
    await sound(database)
    await database.close()


@pytest.mark.parametrize("after", LATER, ids=str)
@pytest.mark.parametrize("state", [T.CREATED, T.SENDING])
async def test_a_prompt_that_may_have_been_sent_is_unknown_and_not_sent_again(
    old: Old, state: TopUpState, after: timedelta
) -> None:
    worker = TopUpDriver(old)
    reference = worker.start()
    if state is T.SENDING:
        worker.sending(reference)
    old.wait(seconds=5)
    database = await opened(old.copy(), after + timedelta(seconds=5))
    work, changes = await database.write(lambda tx: topup_settlement.claim(tx, HELD, 100, 100))
    assert (list(work), changes) == ([], [])

    def look(tx: StoreTx) -> None:
        topup = tx.topups.get(reference)
        assert topup is not None
        assert topup.state is T.SEND_UNKNOWN
        assert topup.settled_at == tx.now
        # A payer's action is matched by the time at which the prompt may have arrived.
        assert topup.sent_at == (START + timedelta(seconds=5) if state is T.CREATED else START)
        assert tx.evidence.open_review_reasons(reference) == ["send_unknown"]
        assert tx.evidence.last(reference, 1)[0].source == "restore"

    await database.read(look)
    await sound(database)
    await database.close()


@pytest.mark.parametrize("state", [S.QUOTED, S.AWAITING_APPROVAL, S.OTP_SENT])
async def test_what_waited_for_its_person_ends_and_its_reference_is_not_used_again(
    old: Old, buyer: FloatBuyer, state: PurchaseState
) -> None:
    reference = in_state(buyer, state)
    if state is S.AWAITING_APPROVAL:
        old.wait(days=2)  # the second person's account is no longer new
        reference = buyer.quote(Money(500_000), address="2")
        buyer.confirm(reference)
        buyer.decides(reference, Decision.APPROVED)
    database = await opened(old.copy(), timedelta(days=2, seconds=1))

    def ask_again(tx: StoreTx) -> None:
        purchase = tx.purchases.get(reference)
        assert purchase is not None
        assert (purchase.state, purchase.reason) == (S.CANCELLED, "restored")
        newest = tx.otps.newest(reference)
        assert newest is None or newest.status is OtpStatus.REVOKED
        assert (
            tx.approvals.undecided("DEMO", 0, buyer.store.now - timedelta(days=1), None, 10) == []
        )
        again = float_quotes.request(
            tx, buyer.random, buyer.policy, buyer.person, "terminal", purchase.address, "again",
            purchase.amount,
        )  # fmt: skip
        assert getattr(again, "state", None) is S.QUOTED
        assert getattr(again, "reference", None) != reference
        if state is S.OTP_SENT:  # its code, entered once more
            ended = float_purchases.authorise(
                tx, buyer.keys, buyer.policy, buyer.person, reference, buyer.codes[reference]
            )
            assert getattr(ended, "state", None) is S.CANCELLED

    await database.write(ask_again)
    await sound(database)
    await database.close()


async def test_what_is_settled_or_only_asked_about_stays_as_it_is(
    old: Old, buyer: FloatBuyer
) -> None:
    before = {}
    for n, state in enumerate([S.SUCCEEDED, S.FAILED, S.UNKNOWN]):
        reference = in_state(buyer, state)
        before[reference] = buyer.get(reference)
        old.wait(hours=1 + n)
    database = await opened(old.copy(), timedelta(days=1))
    for reference, purchase in before.items():
        assert await database.read(lambda tx, one=reference: tx.purchases.get(one)) == purchase
    await sound(database)
    await database.close()
