"""Directives: what happens outside the conversation during a play, and what is not a directive."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scripts import directive
from bot.scripts.directive import (
    Advance,
    ArmBank,
    ArmCrash,
    ArmSends,
    BalanceIs,
    BankCallsAre,
    BankFault,
    BankNotifies,
    BooksBalance,
    Crash,
    CrashPoint,
    DatabaseAway,
    NodeIs,
    NoSecrets,
    Redeliver,
    Restart,
    RunJob,
    SendFault,
    SetClock,
    SetHandset,
    SetPayee,
    StateIs,
)
from bot.scripts.directive_syntax import read_directive
from bot.scripts.source_line import ScriptError
from bot.simulation.daraja import faults as daraja_faults
from bot.simulation.ncba import faults as ncba_faults
from services.domain.money import Money
from services.domain.phone import Phone
from tests.kit.parsed_scripts import AT, refused

PHONE = Phone("254722000111")
T = "payout-token"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("@advance 90s", Advance(AT, 90)),
        ("@advance 10m", Advance(AT, 600)),
        ("@advance 2h", Advance(AT, 7200)),
        ("@advance 1d", Advance(AT, 86400)),
        ("@clock +3d", SetClock(AT, 259_200)),
        ("@clock -2h", SetClock(AT, -7_200)),
        ("@at amina topup.confirm", NodeIs(AT, "amina", "topup.confirm")),
        ("@at amina -", NodeIs(AT, "amina", None)),
        ("@wallet F 1700.00", BalanceIs(AT, "wallet", "F", Money(170000))),
        ("@available F 0", BalanceIs(AT, "available", "F", Money(0))),
        ("@float F 0.5", BalanceIs(AT, "float", "F", Money(50))),
        ("@state topup NOT_PAID", StateIs(AT, "topup", "NOT_PAID")),
        ("@state float UNKNOWN", StateIs(AT, "float", "UNKNOWN")),
        ("@books", BooksBalance(AT)),
        ("@handset 254712345678 wrong-pin", SetHandset(AT, "254712345678", "wrong-pin")),
        ("@state payout RETURNED", StateIs(AT, "payout", "RETURNED")),
        ("@state disbursement RETURNED", StateIs(AT, "payout", "RETURNED")),
        ("@payee 254722000111 pays", SetPayee(AT, PHONE, "pays")),
        ("@payee 254722000111  pays Asha  Mfano", SetPayee(AT, PHONE, "pays Asha Mfano")),
        ("@payee 254722000111 fails SFC_IC0003", SetPayee(AT, PHONE, "fails SFC_IC0003")),
        ("@payee 254722000111 fails 8 late 24h", SetPayee(AT, PHONE, "fails 8 late 24h")),
        ("@bank initiate 1", BankCallsAre(AT, "initiate", 1)),
        ("@bank html on float", ArmBank(AT, BankFault("html"), "float", 1)),
        ("@bank html on token", ArmBank(AT, BankFault("html"), "token", 1)),
        (
            "@bank timeout-after on initiate times 3",
            ArmBank(AT, BankFault("timeout-after"), "initiate", 3),
        ),
        ("@bank http 500 on query", ArmBank(AT, BankFault("http", status=500), "query", 1)),
        ("@bank slow 20s on query", ArmBank(AT, BankFault("slow", seconds=20), "query", 1)),
        (
            "@bank refuse No, not on query times 2 on initiate times 2",
            ArmBank(AT, BankFault("refuse", "No, not on query times 2"), "initiate", 2),
        ),
        (
            "@bank says-failed Wrong PIN on query",
            ArmBank(AT, BankFault("says-failed", "Wrong PIN"), "query", 1),
        ),
        ("@bank duplicate on float", ArmBank(AT, BankFault("duplicate"), "float")),
        ("@bank only-accepted on float", ArmBank(AT, BankFault("only-accepted"), "float")),
        (
            "@bank only-accepted settles 2h on float times 2",
            ArmBank(AT, BankFault("only-accepted", "settles 2h"), "float", 2),
        ),
        (
            "@bank only-accepted never on float",
            ArmBank(AT, BankFault("only-accepted", "never"), "float"),
        ),
        (
            "@bank http 500 on status for 3h",
            ArmBank(AT, BankFault("http", status=500), "status", lasts_s=10_800),
        ),
        (
            "@bank refuse Back in for 3h on initiate for 10m",
            ArmBank(AT, BankFault("refuse", "Back in for 3h"), "initiate", lasts_s=600),
        ),
        ("@bank payout 0", BankCallsAre(AT, "payout", 0)),
        ("@bank payout-status 12", BankCallsAre(AT, "payout-status", 12)),
        (
            "@bank refuse Bad Request on payout on payout times 2",
            ArmBank(AT, BankFault("refuse", "Bad Request on payout"), "payout", 2),
        ),
        ("@bank http 500 on payout-token", ArmBank(AT, BankFault("http", status=500), T)),
        ("@bank queue-timeout on payout", ArmBank(AT, BankFault("queue-timeout"), "payout")),
        ("@bank spike-arrest on payout", ArmBank(AT, BankFault("spike-arrest"), "payout")),
        (
            "@bank result other-originator on payout-status for 1h",
            ArmBank(AT, BankFault("result", "other-originator"), "payout-status", lasts_s=3_600),
        ),
        (
            "@bank slow 20s on payout-balance",
            ArmBank(AT, BankFault("slow", seconds=20), "payout-balance"),
        ),
        (
            "@notify 2547 10 ref UMOJA late 1h",
            BankNotifies(AT, "2547", Money(1000), "UMOJA", None, 1, None, late_s=3_600),
        ),
        (
            "@notify 2547 10 ref UMOJA of-account",
            BankNotifies(AT, "2547", Money(1000), "UMOJA", None, 1, None, kind="876"),
        ),
        (
            "@notify 2547 10 ref UMOJA of-account 171 times 2 late 45m",
            BankNotifies(AT, "2547", Money(1000), "UMOJA", None, 2, None, kind="171", late_s=2_700),
        ),
        ("@redeliver", Redeliver(AT)),
        ("@restart", Restart(AT)),
        ("@database away 20s", DatabaseAway(AT, 20)),
        ("@database away 2m", DatabaseAway(AT, 120)),
        ("@crash", Crash(AT)),
        ("@crash at commit", ArmCrash(AT, CrashPoint("commit", None, 1))),
        ("@crash at after-commit 2", ArmCrash(AT, CrashPoint("after-commit", None, 2))),
        (
            "@crash at before-call initiate 3",
            ArmCrash(AT, CrashPoint("before-call", "initiate", 3)),
        ),
        (
            "@crash at before-call status",
            ArmCrash(AT, CrashPoint("before-call", "status", 1)),
        ),
        (
            "@crash at after-call payout 2",
            ArmCrash(AT, CrashPoint("after-call", "payout", 2)),
        ),
        (
            "@crash at before-call payout-status",
            ArmCrash(AT, CrashPoint("before-call", "payout-status", 1)),
        ),
        ("@crash at after-call token", ArmCrash(AT, CrashPoint("after-call", "token", 1))),
        ("@send-fails 403", ArmSends(AT, SendFault("403"), 1)),
        ("@send-fails 429:5 times 2", ArmSends(AT, SendFault("429", 5), 2)),
        ("@send-fails timeout", ArmSends(AT, SendFault("timeout"), 1)),
        ("@job otp-cleanup", RunJob(AT, "otp-cleanup")),
        ("@no-secrets", NoSecrets(AT)),
    ],
)
def test_directives(line: str, expected: object) -> None:
    assert read_directive(AT, line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "@advance",
        "@advance 90",
        "@clock",
        "@clock 3d",
        "@clock +3",
        "@clock +999999d",
        "@database",
        "@database away",
        "@database gone 20s",
        "@advance 1w",
        "@at amina",
        "@at amina confirm",
        "@wallet F",
        "@wallet F 1,700",
        "@state refund PAID",
        "@books now",
        "@handset 254712345678 dances",
        "@payee 254722000111",
        "@payee 0722000111 pays",
        "@payee 25472200011 pays",
        "@payee 254822000111 pays",
        "@payee amina pays",
        "@bank payouts 1",
        "@bank html on payout-tokens",
        "@bank result on payout",
        "@crash at before-call payout-now",
        "@bank refuse on initiate",
        "@bank html on lunch",
        "@bank http on token",
        "@bank html on token times 0",
        "@crash at before-call",
        "@crash at lunch",
        "@crash at commit 0",
        "@send-fails 429",
        "@send-fails 429:0",
        "@send-fails 500",
        "@job",
        "@answer 2",
        "@notify 2547 10",
        "@notify 2547 10 narrative UMOJA",
        "@notify 2547 10 ref",
        "@bank same-id",
        "@bank only-accepted settles on float",
        "@bank only-accepted never 2h on float",
        "@bank http 500 on status for ever",
        "@bank http 500 on status times 2 for 3h",
        "@notify 2547 10 of-account",
        "@notify 2547 10 ref UMOJA account-only of-account",
        "@notify 2547 10 ref UMOJA of-account M-PESA",
        "@notify 2547 10 ref UMOJA late",
        "@audit",
        "@sing",
    ],
)
def test_unreadable_directives(line: str) -> None:
    with pytest.raises(ScriptError):
        read_directive(AT, line)


def test_scripts_know_every_call_of_the_outside() -> None:
    assert directive.BANK_CALLS == ncba_faults.CALLS
    assert directive.PAYOUT_CALLS == daraja_faults.CALLS


@pytest.mark.parametrize(
    ("line", "reference", "narrative", "times"),
    [
        ("@notify 2547 10 ref 774451 narrative UMOJA account-only", "774451", "UMOJA", 1),
        ("@notify 2547 10 narrative Rent for May account-only times 2", None, "Rent for May", 2),
        ("@notify 2547 10 account-only ref UMOJA receipt R times 3 bad-hash", "UMOJA", None, 3),
    ],
)
def test_a_notification_may_tell_the_account_alone(
    line: str, reference: str | None, narrative: str | None, times: int
) -> None:
    told = read_directive(AT, line)
    assert isinstance(told, BankNotifies)
    assert told.account_only
    assert (told.reference, told.narrative, told.times) == (reference, narrative, times)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("@at juma -", "nobody is called juma"),
        ("@wallet OTHER 1.00", "there is no partner OTHER"),
    ],
)
def test_what_this_build_cannot_do_is_an_error(tmp_path: Path, line: str, expected: str) -> None:
    assert refused(tmp_path, line) == expected
