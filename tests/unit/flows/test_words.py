"""What is stored under a name has words in every language, and counts their nouns."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from bot.handlers.admin.jobs import CLEANING
from flows.admin.api_keys import API_KEYS
from flows.engine.check_words import identifiers, word_errors
from flows.engine.nodes import Choose
from flows.engine.texts import Texts, phrase_kinds
from flows.float import FLOAT
from flows.topup import TOPUP
from flows.webhooks import WEBHOOKS
from services.domain.api_key import Scope
from services.domain.document import DocumentFormat
from services.domain.fees import Fee, FeeKind
from services.domain.ledger import AccountKind
from services.domain.limits import LimitName
from services.domain.money import Money
from services.domain.partner import Role
from services.domain.payment import SuspenseReason, Verdict
from services.domain.proposal import ProposalKind, Resolution
from services.domain.reconciliation import FindingKind

ROOT = Path(__file__).parents[3]
NAMES = tomllib.loads((ROOT / "tests/guard/names.toml").read_text(encoding="utf-8"))
TEXTS = Texts.load()


def calls_of_evidence() -> Iterator[tuple[str, list[ast.expr]]]:
    """Method and arguments of each call of ``evidence`` in the program."""
    for folder in ("services", "storage", "bot"):
        for file in (ROOT / folder).rglob("*.py"):
            source = file.read_text(encoding="utf-8")
            if "evidence." not in source:
                continue
            for node in ast.walk(ast.parse(source)):
                match node:
                    case ast.Call(func=ast.Attribute(attr=method, value=of), args=args) if (
                        ast.unparse(of).endswith("evidence")
                    ):
                        yield method, args


EVIDENCE = list(calls_of_evidence())


def strings_given_to(method: str, position: int) -> Iterator[str]:
    """The text constants that the program gives ``evidence.<method>`` at this place."""
    for called, args in EVIDENCE:
        if called == method and len(args) > position:
            yield from (
                part.value
                for part in ast.walk(args[position])
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )


def acts() -> Iterator[str]:
    """Those that the guard lists; ``*`` stands for what is known only when it happens."""
    yield from (act for act in NAMES["audit_acts"] if "*" not in act)
    for kind in ProposalKind:
        yield from (f"{kind}_{decision}" for decision in ("proposed", "approved", "declined"))
    yield from (f"float_{end}" for end in ("approved", "declined", "expired", "withdrawn"))


def steps() -> Iterator[str]:
    for flow in (TOPUP, FLOAT):
        keys = (f"{flow.name}.{node.id}.ask" for node in flow.nodes)
        yield from (key.split(".")[1] for key in keys if TEXTS.has("en", key))


def accesses() -> Iterator[str]:
    node = API_KEYS.node("scopes")
    assert isinstance(node, Choose)
    yield from (str(option.puts["scopes"]) for option in node.options)


def webhook_kinds() -> Iterator[str]:
    node = WEBHOOKS.node("kinds")
    assert isinstance(node, Choose)
    yield from (str(option.puts["kinds"]) for option in node.options)


STORED: dict[str, Iterable[str]] = {
    "access": accesses(),
    "account": AccountKind,
    "act": acts(),
    "call": [*strings_given_to("call", 1), "token", "initiate", "float"],
    "document_format": DocumentFormat,
    "evidence": [*strings_given_to("add", 1), *Resolution, "account_refused", "not_paid_so_far"],
    "fee_kind": FeeKind,
    "job": [*NAMES["jobs"], *CLEANING],
    "limit": LimitName,
    "resolution": Resolution,
    "role": Role,
    "role_in_english": Role,
    "role_in_kiswahili": Role,
    "scope": Scope,
    "source": ["ncba.notification", "ncba.statement", "restore", *strings_given_to("add", 2)],
    "step": steps(),
    "webhook_kinds": webhook_kinds(),
    "webhook_url": ["form", "long", "https", "port", "private"],
    "why": [*strings_given_to("open_review", 1), *SuspenseReason, *FindingKind, *Verdict],
}


@pytest.mark.parametrize("kind", sorted(STORED))
def test_every_stored_value_has_words_in_every_language(kind: str) -> None:
    values = {str(value) for value in STORED[kind]}
    assert values
    for language in TEXTS.languages:
        unsaid = {value for value in values if not TEXTS.has(language, f"words.{kind}.{value}")}
        assert not unsaid, f"{language}: {kind}"


def test_words_and_nouns_are_all_used() -> None:
    """Some are said by name alone, in a list that a handler puts together."""
    used = {kind for key in TEXTS.keys("en").values() for kind in phrase_kinds(key)}
    there = {
        key.split(".")[1] for key in TEXTS.keys("en") if key.startswith(("words.", "counted."))
    }
    assert there - used - {"unnamed"} == set()


def test_no_sentence_of_ours_has_an_identifier() -> None:
    assert list(word_errors(TEXTS)) == []


@pytest.mark.parametrize(
    "said", ["send_unknown", "Open: SEND_UNKNOWN 1", "limit c2b.min", "by admin:terminal:musa"]
)
def test_identifiers_are_found(said: str) -> None:
    assert identifiers(said)


@pytest.mark.parametrize("said", ["KES 12.50", "amina@finsafe.example", "1 Okt - 15 Okt", "and/or"])
def test_what_people_write_is_no_identifier(said: str) -> None:
    assert not identifiers(said)


def test_a_sentence_with_an_identifier_is_refused() -> None:
    texts = Texts({"en": {"one": "It is by_hand.", "words.unnamed": "something else"}})
    assert list(word_errors(texts)) == ["en: one says by_hand, which is no word"]


def test_a_noun_without_all_its_forms_is_refused() -> None:
    texts = Texts({"en": {"one": "{n:line}", "counted.line.other": "{n} lines"}})
    assert list(word_errors(texts)) == ["en: counted.line.one is missing"]


def test_a_phrase_without_words_is_refused() -> None:
    texts = Texts({"en": {"one": "{role:roles}"}})
    assert list(word_errors(texts)) == ["en: one has a phrase roles, which has no words"]


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 0, "0 codes"),
        ("en", 1, "1 code"),
        ("en", 2, "2 codes"),
        ("en", 21, "21 codes"),
        ("sw", 0, "misimbo 0"),
        ("sw", 1, "msimbo 1"),
        ("sw", 2, "misimbo 2"),
    ],
)
def test_a_noun_takes_the_form_that_its_count_asks_for(
    language: str, count: int, said: str
) -> None:
    assert TEXTS.phrase(language, "code", count) == said


@pytest.mark.parametrize(("cents", "said"), [(0, "no alert"), (1_000_00, "alert below KES 1,000")])
def test_no_amount_is_no_alert(cents: int, said: str) -> None:
    assert TEXTS.phrase("en", "alert", Money(cents)) == said


def test_a_value_that_is_stored_no_more_is_said_without_its_name() -> None:
    assert TEXTS.phrase("en", "act", "forgotten_act") == "something else"


_BOUNDS = {"minimum": Money(20_00), "maximum": Money(1_200_00)}


@pytest.mark.parametrize(
    ("fee", "said"),
    [
        (Fee(FeeKind.TRANSFER), "no fee"),
        (Fee(FeeKind.TRANSFER, fixed=Money(50_00)), "KES 50.00"),
        (Fee(FeeKind.TRANSFER, fixed=Money(1_050_50)), "KES 1,050.50"),
        (Fee(FeeKind.TRANSFER, ppm=10_000, minimum=Money(20_00)), "1 %, minimum KES 20.00"),
        (
            Fee(FeeKind.TRANSFER, fixed=Money(50_00), ppm=5_000, **_BOUNDS),
            "KES 50.00 + 0.5 %, minimum KES 20.00, maximum KES 1,200.00",
        ),
        (Fee(FeeKind.TRANSFER, minimum=Money(20_00)), "KES 0.00, minimum KES 20.00"),
    ],
)
def test_a_fee_is_said_as_people_write_it(fee: Fee, said: str) -> None:
    assert TEXTS.say("en", "fees.kind.line", {"terms": fee}) == said
