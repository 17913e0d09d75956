"""A code is encrypted while it is queued, and erased once it has been sent or has ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.outbox.carriers import MAIL, SMS
from bot.outbox.channel import Unclear
from bot.security.keyring import Keyring
from tests.kit.code_delivery import CodeDelivery
from tests.kit.stored_rows import every_row
from tests.kit.worker_harness import PHONE


def _files(folder: Path) -> list[bytes]:
    """Return the raw database, log and lock files, as a thief would get them."""
    return [path.read_bytes() for path in folder.iterdir()]


async def test_a_code_is_sealed_as_long_as_it_waits(delivery: CodeDelivery, tmp_path: Path) -> None:
    await delivery.commit()
    rows = await delivery.rows()
    assert [(channel, state) for channel, state, _ in rows] == [(SMS, "queued"), (MAIL, "queued")]
    for _, _, text in rows:
        opened = delivery.parts.keys.unseal(text)
        assert opened is not None
        assert delivery.codes[0] in opened
    dump = await delivery.database.read(lambda tx: every_row(tx.conn))
    assert delivery.codes[0] not in dump
    assert not any(delivery.codes[0].encode() in content for content in _files(tmp_path))


async def test_it_arrives_both_ways_and_is_wiped(delivery: CodeDelivery) -> None:
    await delivery.commit()
    await delivery.go()
    assert [delivery.codes[0] in carrier.texts[0] for carrier in (delivery.sms, delivery.mail)] == [
        True,
        True,
    ]
    assert await delivery.rows() == [(SMS, "sent", ""), (MAIL, "sent", "")]
    await delivery.assert_open()


async def test_the_mail_has_a_subject_without_the_code(delivery: CodeDelivery) -> None:
    await delivery.commit()
    await delivery.go()
    subject, _, text = delivery.mail.texts[0].partition("\n")
    assert subject
    assert delivery.codes[0] not in subject
    assert delivery.codes[0] in text


async def test_it_waits_through_a_restart(delivery: CodeDelivery) -> None:
    await delivery.commit()
    await delivery.sender.stop()
    delivery.start()
    await delivery.go()
    assert delivery.codes[0] in delivery.sms.texts[0]


async def test_sealed_with_the_key_before_it_still_goes_out(delivery: CodeDelivery) -> None:
    await delivery.commit()
    keys = Keyring({"2": b"2" * 32, "1": b"1" * 32})
    delivery.parts = replace(delivery.parts, keys=keys)
    delivery.start()
    await delivery.go()
    assert delivery.codes[0] in delivery.sms.texts[0]


async def test_what_no_key_opens_any_more_ends_the_purchase(delivery: CodeDelivery) -> None:
    await delivery.commit()
    delivery.parts = replace(delivery.parts, keys=Keyring({"2": b"2" * 32}))
    delivery.start()
    await delivery.go()
    assert (delivery.sms.texts, delivery.mail.texts) == ([], [])
    await delivery.assert_ended_and_told()


async def test_a_code_that_ended_while_it_waited_is_not_sent(delivery: CodeDelivery) -> None:
    await delivery.commit()
    await delivery.resend()
    await delivery.go()
    assert [delivery.codes[1] in text for text in delivery.sms.texts] == [True]
    assert (await delivery.rows())[:2] == [(SMS, "dead", ""), (MAIL, "dead", "")]


async def test_a_code_that_ended_between_two_tries_is_not_sent(delivery: CodeDelivery) -> None:
    delivery.sms.will(PHONE.msisdn, *(Unclear("no answer") for _ in range(6)))
    await delivery.commit()
    await delivery.go(31)
    assert delivery.sms.texts == []
    await delivery.resend(after_s=0)
    await delivery.go(60)
    assert [delivery.codes[1] in text for text in delivery.sms.texts] == [True]


async def notice(delivery: CodeDelivery) -> None:
    """Queue another SMS to the same phone, which is postponed once."""
    delivery.sms.will(PHONE.msisdn, *(Unclear("no answer") for _ in range(3)))
    await delivery.database.write(
        lambda tx: tx.outbox.add(SMS, PHONE.msisdn, kind="notice", text="paid")
    )
    await delivery.go(21)  # tried at 0, 5 and 20 s; the next try is a minute later


async def test_a_code_that_waits_for_another_try_is_not_sent_once_a_newer_lives(
    delivery: CodeDelivery,
) -> None:
    delivery.sms.will(
        PHONE.msisdn, *(Unclear("no answer") for _ in range(6))
    )  # the next try is at 53 s
    await delivery.commit()
    await delivery.go()
    await delivery.resend()
    await delivery.go(120)
    assert not any(delivery.codes[0] in text for text in delivery.sms.texts)
    assert any(delivery.codes[1] in text for text in delivery.sms.texts)


async def test_a_code_does_not_wait_behind_a_message_that_is_put_off(
    delivery: CodeDelivery,
) -> None:
    await notice(delivery)
    await delivery.commit()
    await delivery.go(5)
    assert any(delivery.codes[0] in text for text in delivery.sms.texts)
