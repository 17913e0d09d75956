"""Any text sent to the simulated Telegram is read correctly, or refused in Telegram's words."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from bot.simulation.telegram.entities import part
from bot.simulation.telegram.errors import ApiError
from bot.simulation.telegram.text import read_text

CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u030a\u0333\u033f")
PLAIN = st.text(CHARACTERS, min_size=1, max_size=40).filter(
    lambda text: text.strip() and not re.search("[\u2028-\u202e]", text)
)
TAGS = ("<b>", "</b>", "<a href='", "<", ">", "/", "=", "'", '"', "&#x", ";", "<pre>", "<code")
SIGNS = ("*", "_", "__", "`", "```", "[", "](", ")", "!", "||", "\\", "\n", " ", "a", "😀", "é")
MARKS = st.lists(st.sampled_from(TAGS + SIGNS), min_size=1, max_size=12).map("".join)


@given(PLAIN)
def test_what_is_escaped_is_read_as_it_was(text: str):
    escaped = re.sub(r"([_*\[\]()~`>#+\-=|{}.!\\])", r"\\\1", text)
    plain = read_text(text)
    assert read_text(html.escape(text, quote=False), "HTML") == plain
    assert read_text(escaped, "MarkdownV2") == plain


@given(PLAIN)
def test_a_mark_around_a_text_is_a_mark_on_all_of_it(text: str):
    marked = read_text(f"<b>{html.escape(text)}</b>", "HTML")
    bold = next(entity for entity in marked.entities if entity.type == "bold")
    assert part(marked.words, bold) == text.rstrip(" ")


@given(MARKS, st.sampled_from(["HTML", "MarkdownV2", "Markdown"]))
def test_any_marks_are_read_or_refused(text: str, mode: str):
    try:
        read = read_text(text, mode)
    except ApiError:
        return
    for entity in read.entities:
        assert part(read.words, entity).encode()  # no character is split
        assert entity.length > 0
