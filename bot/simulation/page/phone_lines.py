"""How a copied script says what people said in their chats and typed on phones that had dialled.

In a script that dials, what begins with a slash is typed in a chat, as is what follows it until the
next dial; all else is a hop of the session that was dialled last (docs/conversation-scripts.md). On
the page people use both at once, so a hop may have to be written as the text that the gateway sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.simulation.record import Said

# What stands in brackets would be taken for something else, such as a variable or a comment; the
# desk understands neither kind.
OTHER_BRACKETS = str.maketrans("{}[]<>#", "()()()+")


class PhoneLines:
    """``phones`` are whose people have one; admins have a chat only."""

    def __init__(self, phones: Iterable[str]) -> None:
        self._people = list(phones)
        self._chatting = set(self._people)
        self._typed: dict[str, str] = {}  # since the dial, by what the script has said
        self._dialled_last = ""

    def opening(self) -> Iterator[str]:
        """In a script a chat is opened by the first word in it; here all have been since ever."""
        yield "# Everybody has a chat beside the phone."
        for person in self._people:
            yield f"{person}> /menu"
            yield "bot*"

    def line(self, said: Said, plain: str) -> str:
        """``plain`` or what does the same; a remark for what no line does."""
        return self._chat(said, plain) if said.hop is None else self._hop(said, plain)

    def _chat(self, said: Said, plain: str) -> str:
        is_tap = said.written != said.text
        if said.written.startswith("/"):
            self._chatting.add(said.person)
        if is_tap or said.person in self._chatting or said.person not in self._people:
            return plain
        return f"# Typed in the chat, which no line does after a dial: {plain}"

    def _hop(self, said: Said, plain: str) -> str:
        assert said.hop is not None
        person, text = said.person, said.hop.text
        if said.written != said.text and said.written.startswith("<dial "):
            self._chatting.discard(person)
        elif not self._goes_on(said):
            if self._dialled_last != person:
                return f"# Typed on the phone, which no line does after the chat: {plain}"
            return f"@hop text {' '.join(text.translate(OTHER_BRACKETS).split())}"
        self._typed[person] = text
        self._dialled_last = person
        return plain

    def _goes_on(self, said: Said) -> bool:
        """Whether a line that says this sends the same hop."""
        assert said.hop is not None
        if said.person in self._chatting or said.text.startswith("/"):
            return False
        if said.written != said.text:
            return True  # a tap, which only scripts do; it may turn pages before
        typed = self._typed[said.person]
        return said.hop.text == (f"{typed}*{said.text}" if typed else said.text)
