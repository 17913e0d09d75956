"""Pages for a phone hold whatever text and options they are made of, whole and within a budget."""

from __future__ import annotations

import time

from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.engine.event import Button, Screen
from flows.engine.phone_pages import (
    BACK,
    HOME,
    LABEL_MAX,
    MORE,
    PhoneScreen,
    Ways,
    ending,
    phone_screen,
)
from flows.engine.texts import Texts
from services.domain import gsm7
from services.domain.ussd import PAGE_SEPTETS

BUDGET_MIN = 140  # septets; Safaricom, the least known, shows 160
ROOM_MIN = 100  # septets that each page has for words, whatever leads on from it
TEXTS = Texts.load()
EVERY_WAYS = [
    Ways(*(TEXTS.say(language, f"button.{name}", short=True) for name in ("back", "menu", "more")))
    for language in TEXTS.languages
]
KEYS = {"back": BACK, "newer": BACK, "menu": HOME, "more": MORE}

# What people and their names are made of, what costs two septets, and what no phone can show.
letters = st.sampled_from("aeiou nrst KES 1,500.  '’“”–…éçşЖ中😀€{}[]~^\\|\n\t\u200b\u202e@_")
long_words = st.integers(1, 400).map(lambda n: "x" * n)
texts = st.lists(st.one_of(st.text(letters, max_size=60), long_words), max_size=12).map(" ".join)
labels = st.text(letters.filter(lambda char: char != "\n"), min_size=1, max_size=90)
navigation = st.sets(st.sampled_from(["back", "menu", "more", "newer"]))
budgets = st.integers(BUDGET_MIN, PAGE_SEPTETS)
ways = st.sampled_from(EVERY_WAYS)


def screen_of(text: str, options: list[str], there: set[str]) -> Screen:
    buttons = [Button(f"option-{n}", label) for n, label in enumerate(options)]
    return Screen(text, tuple((button,) for button in (*buttons, *(Button(t, t) for t in there))))


def bodies(screen: PhoneScreen, there: set[str], words: Ways) -> list[str]:
    """What each page says, without the ways below it, which must be those that lead on."""
    last, found = len(screen.pages) - 1, []
    for number, page in enumerate(screen.pages):
        keys = {KEYS[name] for name in there}
        keys |= {BACK} if number > 0 else set()
        keys |= {MORE} if number < last else set()
        named = ((BACK, words.back), (HOME, words.home), (MORE, words.more))
        below = " ".join(f"{key} {name}" for key, name in named if key in keys)
        assert not below or page == below or page.endswith(f"\n{below}")
        found.append(page.removesuffix(below))
    return found


def without_blanks(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=300, deadline=None)
@given(texts, st.lists(labels, max_size=9), navigation, ways, budgets)
@example("", [], set(), EVERY_WAYS[0], PAGE_SEPTETS)
@example("x" * 152, [], {"back", "menu"}, EVERY_WAYS[0], PAGE_SEPTETS)
@example("€" * 200, ["€" * 90] * 9, {"back", "menu", "more"}, EVERY_WAYS[0], BUDGET_MIN)
def test_nothing_is_lost_and_no_page_is_too_long(
    text: str, options: list[str], there: set[str], words: Ways, budget: int
) -> None:
    screen = phone_screen(screen_of(text, options, there), 7, None, words, budget)
    for page in screen.pages:
        width = gsm7.septets(f"CON {page}")
        assert width is not None
        assert width <= budget
    lines = [f"{n} {gsm7.cut(gsm7.plain(label), LABEL_MAX)}" for n, label in enumerate(options, 1)]
    shown = bodies(screen, there, words)
    assert without_blanks("".join(shown)) == without_blanks(gsm7.plain(text) + "".join(lines))
    rows = [row for page in shown for row in page.split("\n")]
    after = 0
    for line in lines:  # each on one row of its own, in their order
        after = rows.index(line, after) + 1


@settings(max_examples=100, deadline=None)
@given(texts, st.lists(labels, max_size=9), navigation, ways, budgets)
def test_a_word_that_fits_a_page_is_never_cut(
    text: str, options: list[str], there: set[str], words: Ways, budget: int
) -> None:
    screen = phone_screen(screen_of(text, options, there), 7, None, words, budget)
    shown = " ".join(bodies(screen, there, words)).split()
    for word in gsm7.plain(text).split():
        assert gsm7.width(word) > ROOM_MIN or word in shown


@settings(max_examples=200, deadline=None)
@given(texts, st.lists(labels, max_size=9), navigation, ways)
def test_each_option_has_a_key_of_its_own(
    text: str, options: list[str], there: set[str], words: Ways
) -> None:
    screen = phone_screen(screen_of(text, options, there), 7, None, words)
    picked = [option for option in screen.keys.values() if option.startswith("option-")]
    assert picked == [f"option-{n}" for n in range(len(options))]
    assert {key for key in screen.keys if not screen.keys[key].startswith("option-")} == {
        KEYS[name] for name in there
    }


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(1, 8)), st.sets(st.integers(0, 6)))
def test_numbers_that_people_have_learned_stay(numbers: list[int], left_out: set[int]) -> None:
    """A menu without some of its options gives none of their numbers to another."""
    numbered = {f"option-{n}": number for n, number in enumerate(numbers)}
    buttons = [Button(option, option) for option in numbered if int(option[-1]) not in left_out]
    shown = Screen("Menu", (tuple(buttons),), numbered=numbered)
    screen = phone_screen(shown, 1, None, EVERY_WAYS[0])
    assert screen.keys == {str(number): option for option, number in numbered.items()}


@settings(max_examples=200, deadline=None)
@given(texts, ways, budgets)
def test_last_words_are_paged_and_then_end(text: str, words: Ways, budget: int) -> None:
    screen = ending(text, words, budget)
    assert without_blanks("".join(bodies(screen, set(), words))) == without_blanks(gsm7.plain(text))
    for turned in range(len(screen.pages) - 1):
        assert screen.goes_on
        assert screen.page == turned
        screen = screen.turned(1)
    assert not screen.goes_on


@settings(max_examples=100, deadline=None)
@given(texts, st.lists(labels, max_size=9), navigation, ways)
def test_what_is_stored_is_what_was_shown(
    text: str, options: list[str], there: set[str], words: Ways
) -> None:
    screen = phone_screen(screen_of(text, options, there), 7, None, words)
    assert PhoneScreen.load(screen.dump()) == screen


def test_a_long_text_is_paged_in_no_time() -> None:
    began = time.perf_counter()
    assert len(ending("words " * 2_000, EVERY_WAYS[0]).pages) > 70
    assert time.perf_counter() - began < 2  # 12,000 characters once took minutes
