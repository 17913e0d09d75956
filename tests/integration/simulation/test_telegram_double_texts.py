"""The simulated Bot API trims, measures, marks up and refuses texts as Telegram does."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.simulation.clock import VirtualClock
from bot.simulation.telegram.server import TelegramApi
from tests.kit.telegram_caller import AMINA, Caller, calling


@pytest.fixture
async def call() -> AsyncIterator[Caller]:
    api = TelegramApi(VirtualClock())
    api.open_chat(AMINA)
    async with calling(api) as caller:
        yield caller


def mark(type: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": type, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  hi  ", "hi"),
        ("\n hi\n there \n", "hi\n there"),
        ("x" * 4096 + "\n  ", "x" * 4096),
        ("😀" * 4096, "😀" * 4096),  # code points, not UTF-16 units
        ("a\tb\x07c", "a b c"),
        ("a\r\nb", "a\nb"),
        ("a\u202eb\u2028c", "abc"),
    ],
)
async def test_texts_are_cleaned_and_trimmed_before_they_are_measured(
    call: Caller, given: str, kept: str
):
    assert (await call.sent(text=given))["text"] == kept


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "message text is empty"),
        (" \n", "text must be non-empty"),
        ("x" * 4097, "message is too long"),
        ("😀" * 8193, "text is too long"),
    ],
)
async def test_texts_telegram_takes_from_nobody(call: Caller, text: str, why: str):
    assert await call.refused("sendMessage", chat_id=AMINA, text=text) == f"Bad Request: {why}"


async def test_marks_keep_their_place_when_the_text_is_trimmed(call: Caller):
    sent = await call.sent(text="  \r😀 code  ", entities=[mark("code", 6, 6)])
    assert (sent["text"], sent["entities"]) == ("😀 code", [mark("code", 3, 4)])
    sent = await call.sent(text=" \n code", entities=[mark("pre", 1, 6)])
    assert (sent["text"], sent["entities"]) == ("\n code", [mark("pre", 0, 6)])
    sent = await call.sent(text="a  ", entities=[mark("bold", 1, 2), mark("bold", 0, 0)])
    assert "entities" not in sent


async def test_telegram_marks_commands_and_links_by_itself(call: Caller):
    sent = await call.sent(text="😀 /topup or https://hazina.example/a?b. 1/2")
    assert sent["entities"] == [mark("bot_command", 3, 6), mark("url", 13, 26)]
    sent = await call.sent(text="/topup", entities=[mark("code", 0, 6), mark("url", 0, 6)])
    assert sent["entities"] == [mark("code", 0, 6)]


@pytest.mark.parametrize(
    ("entity", "why"),
    [
        (mark("code", 0, 3), "entity beginning at UTF-16 offset 0 ends after the end of the text"),
        (mark("code", 9, 1), "entity begins after the end of the text at UTF-16 offset 9"),
        (mark("code", 1, 1), "entity begins in a middle of a UTF-16 symbol at byte offset 0"),
        (mark("code", 0, 1), "entity ends in a middle of a UTF-16 symbol at byte offset 0"),
        (mark("code", -1, 1), "receive an entity with incorrect offset -1"),
        (mark("code", 0, -1), "receive an entity with incorrect length -1"),
        (mark("blink", 0, 2), "can't parse MessageEntity: Unsupported type specified"),
        (mark("text_link", 0, 2, url="localhost"), "entity URL 'localhost' is invalid"),
        (mark("text_link", 0, 2), "can't parse MessageEntity: Can't find field \"url\""),
        ({"type": "code", "offset": 0}, "can't parse MessageEntity: Can't find field \"length\""),
    ],
)
async def test_marks_that_fit_no_text_are_refused(call: Caller, entity: dict[str, Any], why: str):
    refused = await call.refused("sendMessage", chat_id=AMINA, text="😀", entities=[entity])
    assert refused.startswith(f"Bad Request: {why}")


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        ("<b>a</b> &lt;b&gt; &amp; &#x1F600;&copy;", "a <b> & 😀&copy;", [mark("bold", 0, 1)]),
        ("<B><i>ab</i></B>", "ab", [mark("bold", 0, 2), mark("italic", 0, 2)]),
        ("<u>a</u><s>b</s>", "ab", [mark("underline", 0, 1), mark("strikethrough", 1, 1)]),
        ('<span class="tg-spoiler">a</span>', "a", [mark("spoiler", 0, 1)]),
        (
            '<a href="https://hazina.example">go</a>',
            "go",
            [mark("text_link", 0, 2, url="https://hazina.example/")],
        ),
        (
            '<pre><code class="language-python">x</code></pre>',
            "x",
            [mark("pre", 0, 1, language="python")],
        ),
        ('<code class="language-python">x</code>', "x", [mark("code", 0, 1)]),
        ("<blockquote expandable>a</blockquote>", "a", [mark("expandable_blockquote", 0, 1)]),
        ("<b></b>a", "a", []),
    ],
)
async def test_html_is_read(call: Caller, html: str, text: str, entities: list[dict[str, Any]]):
    sent = await call.sent(text=html, parse_mode="HTML")
    assert (sent["text"], sent.get("entities", [])) == (text, entities)


@pytest.mark.parametrize(
    ("html", "why"),
    [
        ("é<blink>a</blink>", 'Unsupported start tag "blink" at byte offset 2'),
        ("<b>a", "Can't find end tag corresponding to start tag b"),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        (
            "<b>a</i>",
            'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"',
        ),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("a<", "Unclosed start tag at byte offset 1"),
        ("<a href", 'Expected equal sign in declaration of an attribute of the tag "a" at byte'),
        ("<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<b>a</b", "Unclosed end tag at byte offset 4"),
        ("&#xD800;", "Text contains invalid Unicode characters after decoding HTML entities"),
    ],
)
async def test_html_that_telegram_does_not_know_is_refused(call: Caller, html: str, why: str):
    refused = await call.refused("sendMessage", chat_id=AMINA, text=html, parse_mode="html")
    assert refused.startswith(f"Bad Request: can't parse entities: {why}")


@pytest.mark.parametrize(
    ("given", "text", "entities"),
    [
        ("*a* _b_ __c__", "a b c", [mark("bold", 0, 1), mark("italic", 2, 1)]),
        ("~a~ ||b||", "a b", [mark("strikethrough", 0, 1), mark("spoiler", 2, 1)]),
        ("*a _b_*", "a b", [mark("bold", 0, 3), mark("italic", 2, 1)]),
        ("`a.b`\\.", "a.b.", [mark("code", 0, 3)]),
        ("```python\nx = 1```", "x = 1", [mark("pre", 0, 5, language="python")]),
        (
            "[go](https://hazina.example/a\\)b)",
            "go",
            [mark("text_link", 0, 2, url="https://hazina.example/a)b")],
        ),
        (">a\n>b\nc", "a\nb\nc", [mark("blockquote", 0, 4)]),
        ("1\\-2", "1-2", []),
    ],
)
async def test_markdown_v2_is_read(
    call: Caller, given: str, text: str, entities: list[dict[str, Any]]
):
    sent = await call.sent(text=given, parse_mode="MarkdownV2")
    assert sent["text"] == text
    assert sent.get("entities", [])[: len(entities) or None] == entities


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("1.50", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("a|b", "Character '|' is reserved and must be escaped with the preceding '\\'"),
        ("é *a", "Can't find end of Bold entity at byte offset 3"),
        ("`a", "Can't find end of Code entity at byte offset 0"),
        ("[a](b", "Can't find end of a URL at byte offset 4"),
        ("![a]", "Custom emoji entity must contain a tg://emoji URL"),
    ],
)
async def test_markdown_v2_is_strict(call: Caller, given: str, why: str):
    refused = await call.refused("sendMessage", chat_id=AMINA, text=given, parse_mode="MarkdownV2")
    assert refused == f"Bad Request: can't parse entities: {why}"


async def test_the_elder_markdown_is_read(call: Caller):
    sent = await call.sent(text="*a* 1.5 [go](hazina.example) \\_", parse_mode="Markdown")
    link = mark("text_link", 6, 2, url="http://hazina.example/")
    assert (sent["text"], sent["entities"]) == ("a 1.5 go _", [mark("bold", 0, 1), link])
    refused = await call.refused("sendMessage", chat_id=AMINA, text="a _b", parse_mode="Markdown")
    assert refused.endswith("Can't find end of the entity starting at byte offset 2")


async def test_other_parse_modes_are_refused(call: Caller):
    refused = await call.refused("sendMessage", chat_id=AMINA, text="a", parse_mode="BBCode")
    assert refused == "Bad Request: unsupported parse_mode"


async def test_an_edit_is_a_change_of_words_marks_or_keyboard(call: Caller):
    sent = await call.sent(text="code 1")
    where = {"chat_id": AMINA, "message_id": sent["message_id"]}
    same = await call.refused("editMessageText", **where, text="code 1  ")
    assert same.startswith("Bad Request: message is not modified: ")
    marked = [mark("code", 0, 4)]
    edited = await call.done("editMessageText", **where, text="code 1", entities=marked)
    assert (edited["entities"], edited["edit_date"]) == (marked, sent["date"])
    assert (await call.done("editMessageText", **where, text="code 1")).get("entities") is None
    keyboard = {"inline_keyboard": [[{"text": "Go", "url": "https://hazina.example"}]]}
    edited = await call.done("editMessageReplyMarkup", **where, reply_markup=keyboard)
    assert edited["reply_markup"] == keyboard


async def test_what_has_no_text_or_another_keyboard_is_not_edited(call: Caller):
    photo = await call.post(
        "sendPhoto", data={"chat_id": AMINA, "caption": " a "}, files={"photo": ("a.png", b"x")}
    )
    assert photo["result"]["caption"] == "a"
    where = {"chat_id": AMINA, "message_id": photo["result"]["message_id"]}
    why = await call.refused("editMessageText", **where, text="b")
    assert why == "Bad Request: there is no text in the message to edit"
    assert (await call.done("editMessageCaption", **where, caption="b"))["caption"] == "b"
    why = await call.refused("editMessageCaption", **where, caption="c" * 1025)
    assert why == "Bad Request: message caption is too long"
    for markup in (
        {"keyboard": [[{"text": "Share"}]]},
        {"force_reply": True},
        {"remove_keyboard": True},
    ):
        sent = await call.sent(text="a", reply_markup=markup)
        where = {"chat_id": AMINA, "message_id": sent["message_id"]}
        why = await call.refused("editMessageText", **where, text="b")
        assert why == "Bad Request: message can't be edited"
