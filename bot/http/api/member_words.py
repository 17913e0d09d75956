"""Says in words what a JSON schema allows, for tables that people read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

Json = dict[str, Any]
Row = tuple[str, str, str]  # a member's name, what it may be, and what it means

DEPTH_MAX = 2  # of members within members that have rows of their own
SHOWN_MAX = 8  # words of a list that are told one by one


class Members:
    """``schemas`` are those of the document, by name."""

    def __init__(self, schemas: Json) -> None:
        self._schemas = schemas

    def rows(self, reference: str) -> list[Row]:
        return list(self._rows(self._resolved({"$ref": reference}), "", DEPTH_MAX))

    def _rows(self, schema: Json, before: str, depth: int) -> Iterator[Row]:
        required = schema.get("required", ())
        optional = schema.get("additionalProperties") is False
        for name, member in schema.get("properties", {}).items():
            words = self.words(member)
            if optional and name not in required:
                words = words.removesuffix(" or null") + ", optional"
            yield before + name, words, self._description(member)
            inner, mark = self._inner(member)
            if depth > 1 and inner is not None:
                yield from self._rows(inner, f"{before}{name}{mark}.", depth - 1)

    def _inner(self, member: Json) -> tuple[Json | None, str]:
        """The object that it is, or has as items."""
        choices = [one for one in member.get("anyOf", (member,)) if one.get("type") != "null"]
        if len(choices) != 1:
            return None, ""
        found = self._resolved(choices[0])
        if found.get("type") == "array":
            return self._resolved(found["items"]), "[]"
        return (found, "") if "properties" in found else (None, "")

    def _description(self, member: Json) -> str:
        for schema in (member, *member.get("anyOf", ())):
            if text := self._resolved(schema).get("description") or schema.get("description"):
                return str(text)
        return ""

    def words(self, schema: Json) -> str:
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return " or ".join(dict.fromkeys(self.words(one) for one in schema["anyOf"]))
        if "const" in schema:
            return f"`{schema['const']}`"
        if "enum" in schema:
            return _listed(schema["enum"])
        match schema.get("type"):
            case "array":
                return f"list of {self.words(schema['items'])}"
            case "integer":
                return _ranged("whole number", schema.get("minimum"), schema.get("maximum"))
            case "number":
                return "number"
            case "string":
                return _text(schema)
            case "boolean":
                return "true or false"
            case "null":
                return "null"
            case _:
                return "object"

    def _resolved(self, schema: Json) -> Json:
        if "$ref" not in schema:
            return schema
        found: Json = self._schemas[schema["$ref"].rpartition("/")[2]]
        return found


def _listed(words: list[str]) -> str:
    if len(words) > SHOWN_MAX:
        return f"one of {len(words)} words: " + ", ".join(f"`{word}`" for word in words)
    return ", ".join(f"`{word}`" for word in words)


def _ranged(what: str, least: int | None, most: int | None) -> str:
    if least is None or most is None or most > 10**12:
        return what
    return f"{what}, {least} to {most}"


def _text(schema: Json) -> str:
    match schema.get("format"):
        case "date":
            return "day"
        case "date-time":
            return "time"
    examples = schema.get("examples")
    return f"text such as `{examples[0]}`" if examples else "text"


def plain(text: str) -> str:
    """As HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
