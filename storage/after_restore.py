"""Recovery after a restore: whatever the backup cannot know about is marked unknown.

It runs in the transaction that clears the backup's mark, before any worker can claim anything.
"""

from __future__ import annotations

from datetime import datetime

from services.domain.desk_pin import TRIES_MAX
from services.domain.float_purchase import Purchase, PurchaseState, next_query
from services.domain.ledger import HOUSE
from services.domain.otp import OtpStatus
from services.domain.partner_event import EVENTS_LEFT_OUT
from services.domain.payout import Payout, PayoutState
from services.domain.payout_batch import Batch, BatchState
from services.domain.topup import TopUpState
from storage.transaction import StoreTx

SOURCE = "restore"  # of the evidence it adds
REASON = "restored"  # of the purchases it ends, and of the pause of payouts
TURNS = 1_000_000  # more than anybody has tapped through since a backup


def recover_after_restore(tx: StoreTx) -> None:
    """Make a restored backup safe to run; the database must be marked as a backup.

    The bank may have received every request that was about to leave, so none is sent again and no
    hold is released: unsent requests count as sent, with their answers lost. Operations that only
    waited for a person are ended, and the person starts again, because a code or a confirmation may
    have been used since the backup and the bank accepts a reference only once. Messages that may
    have been sent are not sent again, except those about money. Buttons drawn after the backup
    match none of the screens to come.
    """
    made_at = tx.restores.backup_made_at()
    assert made_at is not None
    why = f"restored from a backup of {made_at:%Y-%m-%d %H:%M:%S} UTC: it may have been sent since"
    found: dict[str, list[str] | int] = {
        "topups": _topups(tx, made_at, why),
        "purchases": _purchases(tx, made_at, why),
        "payouts": _payouts(tx, made_at, why),
        "ended": _unconfirmed(tx, why) + _topups_without_code(tx, why),
        "codes": _codes(tx),
        "invites": _invites(tx),
        "messages": _messages(tx),
        "broadcasts": _broadcasts(tx),
        "api_keys": _count_api_keys(tx),
        "proposals": _count_proposals(tx),
    }
    # The statement must first tell what M-PESA paid since the backup.
    tx.payout_pauses.begin(REASON, None)
    _desk_pins(tx)
    _conversations(tx)
    _events(tx)
    tx.dashboard_logins.end_all()  # what was spent or ended since the backup must not come back
    _verify_that_nothing_is_sent(tx)
    tx.restores.begun(found)
    tx.audit.add(HOUSE, "hazina", "restored", made_at.isoformat(), _numbers(found))


def _numbers(found: dict[str, list[str] | int]) -> dict[str, int]:
    return {kind: item if isinstance(item, int) else len(item) for kind, item in found.items()}


def _verify_that_nothing_is_sent(tx: StoreTx) -> None:
    """Raises ``AssertionError``, which stops the start, if a worker would send something still: a
    kind of operation that is not marked as unknown above."""
    left = tx.conn.execute(
        "SELECT reference FROM wallet_transactions WHERE standing IN ('ready', 'sending') LIMIT 1"
    ).fetchone()
    assert left is None, f"{left[0]} would be sent again"


def _topups(tx: StoreTx, made_at: datetime, why: str) -> list[str]:
    """Top-ups whose prompt was about to be requested, or had just been."""
    rows = tx.conn.execute(
        "SELECT reference FROM wallet_transactions WHERE type = 'topup'"
        " AND state IN ('CREATED', 'SENDING') ORDER BY seq"
    ).fetchall()
    for (reference,) in rows:
        topup = tx.topups.get(reference)
        assert topup is not None
        if topup.state is TopUpState.CREATED:
            sent_at = min(max(made_at, topup.created_at), tx.now)
            topup = topup.transition_to(TopUpState.SENDING, sent_at=sent_at)
        topup = topup.transition_to(
            TopUpState.SEND_UNKNOWN, reason=None, settled_at=tx.now, due_at=None
        )
        tx.topups.save(topup)
        tx.evidence.add(reference, "send_unknown", SOURCE, why)
        tx.evidence.open_review(reference, "send_unknown")
    return [reference for (reference,) in rows]


def _purchases(tx: StoreTx, made_at: datetime, why: str) -> list[str]:
    """Purchases whose money is held for a request; the bank is queried about each."""
    rows = tx.conn.execute(
        "SELECT reference FROM wallet_transactions WHERE type = 'b2c_float_purchase'"
        " AND state IN ('AUTHORISED', 'SUBMITTING') ORDER BY seq"
    ).fetchall()
    for (reference,) in rows:
        purchase = tx.purchases.get(reference)
        assert purchase is not None
        if purchase.state is PurchaseState.AUTHORISED:
            assert purchase.authorised_at is not None
            submitted_at = min(max(made_at, purchase.authorised_at), tx.now)
            purchase = purchase.transition_to(PurchaseState.SUBMITTING, submitted_at=submitted_at)
        due_at = next_query(tx.now, tx.now)
        tx.purchases.save(
            purchase.transition_to(
                PurchaseState.UNKNOWN, reason=None, settled_at=tx.now, due_at=due_at
            )
        )
        tx.evidence.add(reference, "unknown", SOURCE, why)
        tx.evidence.open_review(reference, "unknown")
    return [reference for (reference,) in rows]


def _payouts(tx: StoreTx, made_at: datetime, why: str) -> list[str]:
    """Payouts whose float is held; M-PESA is asked about each."""
    rows = tx.conn.execute(
        "SELECT reference FROM wallet_transactions WHERE type = 'disbursement'"
        " AND state IN ('AUTHORISED', 'SUBMITTING', 'ACCEPTED') ORDER BY seq"
    ).fetchall()
    for (reference,) in rows:
        payout = tx.payouts.get(reference)
        assert payout is not None
        if payout.state is PayoutState.AUTHORISED:
            assert payout.authorised_at is not None
            submitted_at = min(max(made_at, payout.authorised_at), tx.now)
            payout = payout.transition_to(PayoutState.SUBMITTING, submitted_at=submitted_at)
        tx.payouts.save(
            payout.transition_to(PayoutState.UNKNOWN, reason=None, settled_at=tx.now, due_at=tx.now)
        )
        tx.evidence.add(reference, "unknown", SOURCE, why)
        tx.evidence.open_review(reference, "unknown")
    return [reference for (reference,) in rows]


def _unconfirmed(tx: StoreTx, why: str) -> list[str]:
    """Cancel unconfirmed purchases, payouts and batches; return those that a person had
    confirmed."""
    rows = tx.conn.execute(
        "SELECT reference FROM wallet_transactions"
        " WHERE type IN ('b2c_float_purchase', 'disbursement', 'payout_batch')"
        " AND state IN ('QUOTED', 'AWAITING_APPROVAL', 'OTP_SENT') ORDER BY seq"
    ).fetchall()
    confirmed = []
    for (reference,) in rows:
        ended = {"reason": REASON, "settled_at": tx.now}
        found: Purchase | Payout | Batch | None = (
            tx.purchases.get(reference)
            or tx.payouts.get(reference)
            or tx.payout_batches.get(reference)
        )
        assert found is not None
        if found.state.value != PurchaseState.QUOTED.value:
            confirmed.append(reference)
            tx.evidence.add(reference, "cancelled", SOURCE, why)
        if isinstance(found, Payout):
            tx.payouts.save(found.transition_to(PayoutState.CANCELLED, **ended))
        elif isinstance(found, Batch):
            tx.payout_batches.save(found.transition_to(BatchState.CANCELLED, **ended))
        else:
            tx.purchases.save(found.transition_to(PurchaseState.CANCELLED, **ended))
    tx.conn.execute(
        "UPDATE approvals SET decision = 'withdrawn', decided_at = ? WHERE decision IS NULL",
        (tx.now_ms,),
    )
    return confirmed


def _topups_without_code(tx: StoreTx, why: str) -> list[str]:
    """Cancel top-ups whose code was waited for."""
    rows = tx.conn.execute(
        "SELECT reference FROM wallet_transactions WHERE type = 'topup' AND state = 'OTP_SENT'"
        " ORDER BY seq"
    ).fetchall()
    for (reference,) in rows:
        topup = tx.topups.get(reference)
        assert topup is not None
        tx.evidence.add(reference, "cancelled", SOURCE, why)
        tx.topups.save(topup.transition_to(TopUpState.CANCELLED, reason=REASON, settled_at=tx.now))
    return [reference for (reference,) in rows]


def _codes(tx: StoreTx) -> int:
    """A database trigger wipes the messages that would have carried the codes."""
    rows = tx.conn.execute("SELECT id FROM codes WHERE status = 'pending'").fetchall()
    for (code,) in rows:
        tx.otps.end(code, OtpStatus.REVOKED)
    return len(rows)


def _desk_pins(tx: StoreTx) -> None:
    """Keep the PINs, since people on USSD have nothing else, with one try left: a backup must not
    give back tries that were used since. A right one gives all back. PINs being set are given up:
    the code that allowed it may have been used since for another."""
    tx.conn.execute("UPDATE desk_pins SET wrong = ? WHERE locked_at IS NULL", (TRIES_MAX - 1,))
    tx.conn.execute("DELETE FROM desk_pin_changes")
    tx.conn.execute("DELETE FROM pin_approvals WHERE approved_at IS NULL")


def _invites(tx: StoreTx) -> int:
    return tx.conn.execute(
        "UPDATE invites SET status = 'killed' WHERE status IN ('open', 'claimed')"
    ).rowcount


def _messages(tx: StoreTx) -> int:
    """Receipts may arrive twice, since each names its reference. Wipes of secrets that a person
    typed still go out."""
    return tx.conn.execute(
        "UPDATE outbox SET state = 'dead', error = 'restored from a backup',"
        " text = CASE WHEN otp IS NULL THEN text ELSE '' END"
        " WHERE state = 'queued' AND kind NOT IN ('receipt', 'wipe')"
    ).rowcount


def _broadcasts(tx: StoreTx) -> int:
    return tx.conn.execute(
        "UPDATE broadcasts SET state = 'STOPPED', ended_at = ? WHERE state = 'RUNNING'",
        (tx.now_ms,),
    ).rowcount


def _count_api_keys(tx: StoreTx) -> int:
    """Keys revoked since the backup are valid again, so admins are told how many there are."""
    row = tx.conn.execute(
        "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL AND expires_at > ?", (tx.now_ms,)
    ).fetchone()
    return int(row[0])


def _count_proposals(tx: StoreTx) -> int:
    """Proposals decided since the backup are open again, and two admins decide them as before."""
    row = tx.conn.execute("SELECT count(*) FROM proposals WHERE status = 'open'").fetchone()
    return int(row[0])


def _events(tx: StoreTx) -> None:
    """Go on with numbers that no event has had since the backup: whoever got those would take a
    new event for one that is repeated."""
    tx.conn.execute("UPDATE partner_event_heads SET n = n + ?", (EVENTS_LEFT_OUT,))


def _conversations(tx: StoreTx) -> None:
    """Close conversations that wait for their person; those that wait for the bank stay open."""
    tx.conn.execute(
        "UPDATE sessions SET turn = turn + ?, expires_at = CASE WHEN expires_at > ? THEN ?"
        " ELSE expires_at END",
        (TURNS, tx.now_ms, tx.now_ms),
    )
