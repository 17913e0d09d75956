"""Every text exists in each language, with the values its placeholders need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from bot.turns.registry import HANDLERS
from flows.engine.check import InvalidFlow, check, flow_errors
from flows.engine.check_texts import group_errors
from flows.engine.nodes import Ask, Choose, Flow, Look, Option
from flows.engine.session import FlowRegistry
from flows.engine.texts import Texts
from tests.kit.broken_flows import (
    CONFIRM,
    DECLARED,
    PUSH,
    SOUND,
    WORDS,
    Sent,
    changed,
    flow,
    found,
    read,
    texts,
    without,
    words_for,
)

# Texts


@pytest.mark.parametrize("key", sorted(WORDS.keys() - {"menu.topup", "command.topup"}))
def test_a_missing_text_is_a_fault(key: str) -> None:
    assert found(flow(*SOUND), without(key)) == {f"en: {key} is missing"}


def test_each_option_wants_its_own_text() -> None:
    choice = Choose("amount", options=(Option("mine", to="phone", set={"amount": "my_phone"}),))
    assert found(changed(choice)) == {"en: topup.amount.mine is missing"}


def test_a_use_case_that_ends_at_once_wants_no_question() -> None:
    now = replace(PUSH, use_case="secure_topup", acts={})
    assert found(changed(now), without("topup.push.ask")) == set()


def _languages(*left_out: str) -> Texts:
    swahili = {key: text for key, text in WORDS.items() if key not in left_out}
    return Texts({"en": WORDS, "sw": swahili})


def test_a_text_that_one_language_lacks_is_a_fault() -> None:
    with pytest.raises(InvalidFlow, match=r"^sw: topup\.amount\.ask is missing"):
        check(FlowRegistry(flow(*SOUND)), _languages("topup.amount.ask"), DECLARED)


def test_a_text_that_one_language_has_too_many_is_a_fault() -> None:
    odd = Texts({"en": WORDS, "sw": WORDS | {"engine.odd": "Ziada."}})
    with pytest.raises(InvalidFlow, match=r"^en: engine\.odd is missing$"):
        check(FlowRegistry(flow(*SOUND)), odd, DECLARED)


# Placeholders


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("topup__amount__ask", "amount"),  # the answer to this question is not known yet
        ("topup__amount__ask", "status"),
        ("topup__phone__ask", "phone"),
        ("topup__phone__ask", "reference"),
        ("topup__push__ask", "balance"),
        ("topup__paid__ask", "status"),
    ],
)
def test_a_placeholder_that_is_not_known_there_is_a_fault(key: str, wanted: str) -> None:
    name = key.replace("__", ".")
    assert found(flow(*SOUND), texts(**{key: f"{{{wanted}}}"})) == {
        f"en: {name} wants {wanted}, which not every path gives"
    }


def test_a_confirm_says_no_more_than_is_known_there() -> None:
    words = texts(topup__confirm__ask="{amount} from {phone}: {reference}?")
    assert found(flow(*SOUND), words) == {
        "en: topup.confirm.ask wants reference, which not every path gives"
    }


@pytest.mark.parametrize("unsaid", ["amount", "phone"])
def test_a_confirm_says_all_that_it_shows(unsaid: str) -> None:
    sentence = WORDS["topup.confirm.ask"].replace(f"{{{unsaid}}}", "it")
    assert found(flow(*SOUND), texts(topup__confirm__ask=sentence)) == {
        f"en: topup.confirm.ask does not say {unsaid}"
    }


@pytest.mark.parametrize(
    "key", ["topup__confirm__yes", "topup__confirm__edit_amount", "topup__push__check"]
)
def test_a_button_is_said_without_facts(key: str) -> None:
    name = key.replace("__", ".").replace("_", "-")
    words = texts(**{key: "Words {amount}"})
    assert found(flow(*SOUND), words) == {f"en: {name} cannot say amount"}


def test_a_refusal_gives_its_reason_and_nothing_else() -> None:
    assert found(flow(*SOUND), texts(topup__refused__ask="{reference}: {reason}, {balance}")) == {
        f"en: topup.refused.ask wants {name}, which not every path gives"
        for name in ("reference", "balance")
    }


def test_a_placeholder_that_one_language_lacks_is_a_fault() -> None:
    en = WORDS | {"refusal.below_minimum": "At least {minimum}"}
    sw = WORDS | {"refusal.below_minimum": "Angalau {minimun}"}
    with pytest.raises(InvalidFlow) as caught:
        check(FlowRegistry(flow(*SOUND)), Texts({"en": en, "sw": sw}), DECLARED)
    assert set(str(caught.value).split("\n")) == {
        "en: refusal.below_minimum says minimum, which another language does not",
        "sw: refusal.below_minimum says minimun, which another language does not",
    }


def test_what_a_choice_has_typed_is_not_known_beyond_the_question_that_reads_it() -> None:
    start = Choose("amount", options=(Option("end", to="refused"),), typed="phone")
    assert "en: topup.confirm.ask wants amount, which not every path gives" in found(
        changed(start), words_for("amount.end")
    )


def test_a_placeholder_is_checked_in_every_language() -> None:
    swahili = WORDS | {"topup.phone.ask": "{reference}?"}
    both = Texts({"en": WORDS, "sw": swahili})
    assert set(flow_errors(flow(*SOUND), both, DECLARED)) == {
        "sw: topup.phone.ask wants reference, which not every path gives"
    }


@pytest.mark.parametrize("always", ["name", "partner", "my_phone"])
def test_the_persons_own_facts_are_known_everywhere(always: str) -> None:
    assert found(flow(*SOUND), texts(topup__amount__ask=f"{{{always}}}")) == set()


def test_what_one_path_leaves_out_is_not_known_where_paths_meet() -> None:
    short_cut = Choose(
        "phone",
        options=(
            Option("mine", to="confirm", set={"phone": "my_phone"}),
            Option("none", to="confirm"),
        ),
    )
    words = words_for("phone.mine", "phone.none")
    assert found(changed(short_cut), words) == {
        "en: topup.confirm.ask wants phone, which not every path gives"
    }


def test_what_every_path_gives_is_known_where_they_meet() -> None:
    choice = Choose(
        "phone",
        options=(
            Option("mine", to="confirm", set={"phone": "my_phone"}),
            Option("other", to="typed"),
        ),
        into="phone",
        to="confirm",
    )
    typed = Ask("typed", into="phone", parse=read, to="confirm")
    words = words_for("phone.mine", "phone.other", "typed.ask")
    assert found(changed(choice, typed), words) == set()


def test_a_way_round_by_edit_does_not_hide_what_a_path_leaves_out() -> None:
    """The loop from the confirmation back to the question must not count as having asked it."""
    confirm = replace(CONFIRM, edit={"phone": "phone"})
    start = Choose("amount", options=(Option("skip", to="confirm"), Option("go", to="phone")))
    words = words_for("amount.skip", "amount.go")
    wants = {
        line.split(" wants ")[1].split(",")[0]
        for line in found(changed(start, confirm), words)
        if line.startswith("en: topup.confirm.ask")
    }
    assert wants == {"amount", "phone"}


@pytest.mark.parametrize(
    ("view", "known"),
    [("balance", "{partner} {at} {wallet} {available} {float} {low}"), ("history", "{lines}")],
)
def test_a_page_knows_what_its_view_gives(view: str, known: str) -> None:
    page = Flow("topup", 1, Sent, "page", (Look("page", view=view),))

    def about(sentence: str) -> Iterable[str]:
        return set(flow_errors(page, Texts({"en": {"topup.page.ask": sentence}}), HANDLERS))

    assert about(known) == set()
    assert about("{amount}") == {"en: topup.page.ask wants amount, which not every path gives"}


@pytest.mark.parametrize("said", ["item", "amount"])
def test_the_button_of_an_act_on_an_item_names_the_item_and_nothing_else(said: str) -> None:
    acts = {"check": "check_topup"}
    page = Look("page", view="history", item_acts=acts, into="phone", to="page")
    words = {"page.ask": "Words.", "page.check": f"Check {{{said}}}", "page.check-done": "Words."}
    both = Texts({"en": {f"topup.{name}": text for name, text in words.items()}})
    wrong = set(flow_errors(Flow("topup", 1, Sent, "page", (page,)), both, DECLARED))
    assert ("en: topup.page.check cannot say amount" in wrong) is (said == "amount")
    assert "en: topup.page.check cannot say item" not in wrong


# Headings of the help


@pytest.mark.parametrize(
    ("groups", "fault"),
    [
        ({"money": ()}, "topup: stands under no heading of the help"),
        ({"money": ("topup", "topup")}, "topup: stands in the help twice"),
        ({"money": ("topup", "nosuch")}, "nosuch: stands in the help, but is no flow"),
        ({"money": ("topup",), "other": ()}, "en: help.groups.other is missing"),
    ],
)
def test_each_command_stands_under_one_heading(
    groups: dict[str, tuple[str, ...]], fault: str
) -> None:
    words = Texts({"en": WORDS | {"help.groups.money": "Money"}})
    assert list(group_errors(FlowRegistry(flow(*SOUND), groups=groups), words)) == [fault]


def test_a_program_without_headings_lists_its_commands_without() -> None:
    assert list(group_errors(FlowRegistry(flow(*SOUND)), Texts({"en": WORDS}))) == []
