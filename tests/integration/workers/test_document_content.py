"""What statements of the wallet and the float tell of the same money, from the transfers up."""

from __future__ import annotations

import csv
from datetime import date
from io import StringIO

import pytest

from bot.workers.document_content import file_name, read_content
from flows.engine.texts import Texts
from services.domain.document import Document, DocumentFormat
from services.domain.fees import FeeKind
from services.domain.float_purchase import PurchaseState
from services.domain.ledger import AccountKind, wallet_adjustment
from services.domain.money import Money
from services.domain.payout import PayoutState
from services.domain.topup import TopUpState
from tests.kit import float_buyer as bought
from tests.kit import topup_driver as paid
from tests.kit.payer import Payer
from tests.kit.payer import in_state as payout_in_state
from tests.kit.pdf_text import pdf_pages
from tests.kit.plain_store import PlainStore

MARCH = (date(2026, 3, 1), date(2026, 3, 31))


APRIL = (date(2026, 4, 1), date(2026, 4, 30))


def document(
    account: AccountKind,
    format_: DocumentFormat = DocumentFormat.CSV,
    *,
    language: str = "en",
    days: tuple[date, date] = MARCH,
) -> Document:
    return Document("ST-7K3QF9", "DEMO", "telegram", "1", language, format_, *days, account=account)


def made(store: PlainStore, asked: Document) -> bytes:
    return store.do(lambda tx: read_content(tx, asked, Texts.load()))()


def rows(
    store: PlainStore, account: AccountKind, days: tuple[date, date] = MARCH
) -> list[dict[str, str]]:
    content = made(store, document(account, days=days)).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(content, newline="")))


@pytest.fixture
def busy(fresh_store: PlainStore) -> PlainStore:
    """A partner that topped up, bought float with fees, and tried once more in vain."""
    worker = paid.TopUpDriver(fresh_store)
    worker.events = 1_000  # so that its event keys differ from those of FloatBuyer
    buyer = bought.FloatBuyer(fresh_store)
    reference = paid.in_state(worker, TopUpState.PAID, 5_000_000)
    paid.payment_arrives(worker, reference)
    buyer.fee(FeeKind.TRANSFER, 3_000)
    buyer.fee(FeeKind.PROCESSING, 1_000)
    fresh_store.wait(hours=1)
    bought.in_state(buyer, PurchaseState.SUCCEEDED)
    bought.in_state(buyer, PurchaseState.FAILED)
    return fresh_store


def test_a_wallets_statement_has_receipt_float_reference_and_fees_apart(busy: PlainStore) -> None:
    opening, topup, purchase, closing = rows(busy, AccountKind.WALLET)
    assert (opening["Description"], opening["Balance (KES)"]) == ("Opening balance", "0.00")
    assert (closing["Description"], closing["Balance (KES)"]) == ("Closing balance", "39960.00")
    assert topup["M-PESA receipt"] == "UF4OR6RP9Q"
    assert (topup["Paid in (KES)"], topup["Of which fees (KES)"]) == ("50000.00", "")
    assert purchase["Float reference"] == "B-1"
    assert (purchase["Paid out (KES)"], purchase["Of which fees (KES)"]) == ("10040.00", "40.00")


def test_a_floats_statement_has_what_was_bought_without_its_fees(busy: PlainStore) -> None:
    opening, purchase, closing = rows(busy, AccountKind.FLOAT)
    assert (opening["Balance (KES)"], closing["Balance (KES)"]) == ("0.00", "10000.00")
    assert purchase["Float reference"] == "B-1"
    assert (purchase["Paid in (KES)"], purchase["Of which fees (KES)"]) == ("10000.00", "")


def test_a_later_period_opens_with_what_was_left(busy: PlainStore) -> None:
    busy.wait(days=40)
    busy.book(wallet_adjustment("AD-1", "DEMO", Money(500), credit=True))
    opening, _, closing = rows(busy, AccountKind.WALLET, APRIL)
    assert (opening["Balance (KES)"], closing["Balance (KES)"]) == ("39960.00", "39965.00")


@pytest.mark.parametrize(
    ("account", "title"),
    [(AccountKind.WALLET, "Taarifa ya wallet"), (AccountKind.FLOAT, "Taarifa ya float")],
)
def test_a_pdf_is_in_the_language_of_who_asked(
    busy: PlainStore, account: AccountKind, title: str
) -> None:
    (page,) = pdf_pages(made(busy, document(account, DocumentFormat.PDF, language="sw")))
    for text in (title, "DEMO", "1 Mac 2026 – 31 Mac 2026", "Salio la kuanzia", "B-1"):
        assert page.count(text) == 1


@pytest.mark.parametrize("account", [AccountKind.WALLET, AccountKind.FLOAT])
def test_a_chart_is_drawn_of_either(busy: PlainStore, account: AccountKind) -> None:
    png = made(busy, document(account, DocumentFormat.CHART))
    assert png.startswith(b"\x89PNG")


def test_files_are_told_apart_by_their_name() -> None:
    assert file_name(document(AccountKind.WALLET)) == "hazina-DEMO-20260301-20260331.csv"
    assert file_name(document(AccountKind.FLOAT)) == "hazina-DEMO-float-20260301-20260331.csv"


def test_what_an_older_build_was_asked_for_is_of_the_wallet(busy: PlainStore) -> None:
    busy.do(lambda tx: tx.documents.add(document(AccountKind.FLOAT)))
    stored = busy.do(lambda tx: tx.documents.get("ST-7K3QF9"))
    assert stored is not None
    assert stored.account is AccountKind.FLOAT
    busy.conn.execute("UPDATE documents SET account = NULL")
    (claimed,) = busy.do(lambda tx: tx.documents.claim(["ST-7K3QF9"]))
    assert claimed.account is AccountKind.WALLET
    assert b"39960.00" in made(busy, claimed)


@pytest.fixture
def payer(fresh_store: PlainStore) -> Payer:
    """A partner that paid one customer, whose name M-PESA gave, and tried every other way too."""
    payer = Payer(fresh_store)
    payout_in_state(payer, PayoutState.PAID, name="BARAKA MFANO")
    payout_in_state(payer, PayoutState.RETURNED, Money(20_000))
    payout_in_state(payer, PayoutState.UNKNOWN, Money(30_000))
    return payer


def test_a_payout_is_one_line_of_the_float_with_its_charge_and_who_got_it(payer: Payer) -> None:
    opening, paid_in, payout, closing = rows(payer.store, AccountKind.FLOAT)
    assert opening["Balance (KES)"] == "0.00"
    assert paid_in["Paid in (KES)"] == "30000.00"
    assert (payout["Description"], payout["Details"]) == ("Payout", "0722 000 111, BARAKA MFANO")
    assert (payout["Paid out (KES)"], payout["Of which fees (KES)"]) == ("1505.00", "5.00")
    assert payout["M-PESA receipt"] == payer.get(payout["Reference"]).receipt
    assert payout["Float reference"] == ""
    assert (payout["Balance (KES)"], closing["Balance (KES)"]) == ("28495.00", "28495.00")


def test_a_payout_paid_after_its_return_moves_no_float(fresh_store: PlainStore) -> None:
    payer = Payer(fresh_store)
    payout_in_state(payer, PayoutState.PAID_AFTER_RETURN)
    *_, closing = rows(fresh_store, AccountKind.FLOAT)
    assert closing["Balance (KES)"] == "30000.00"


@pytest.mark.parametrize(("language", "what"), [("en", "Payout"), ("sw", "Malipo kwa mteja")])
def test_a_pdf_of_the_float_names_payouts(payer: Payer, language: str, what: str) -> None:
    asked = document(AccountKind.FLOAT, DocumentFormat.PDF, language=language)
    (page,) = pdf_pages(made(payer.store, asked))
    assert page.count(what) == 1
    assert "0722 000 111, BARAKA MFANO" in " ".join(page)


def test_a_recipient_whose_name_is_not_known_has_only_a_number(fresh_store: PlainStore) -> None:
    payer = Payer(fresh_store)
    payout_in_state(payer, PayoutState.PAID)
    _, _, payout, _ = rows(fresh_store, AccountKind.FLOAT)
    assert payout["Details"] == "0722 000 111"
