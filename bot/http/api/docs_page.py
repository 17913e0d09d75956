"""The docs page: one HTML document, made from the OpenAPI document. It loads nothing else."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from bot.http.api import problems
from bot.http.api.advice import ADVICE
from bot.http.api.member_words import Members, plain

Json = dict[str, Any]
_TEMPLATE = "docs_page.html"


def render(document: Json) -> str:
    page = _Page(document)
    template = Template(Path(__file__).with_name(_TEMPLATE).read_text(encoding="utf-8"))
    return template.substitute(
        version=escape(document["info"]["version"]),
        nav=page.nav(),
        problems=page.problems(),
        calls=page.calls(),
    )


class _Page:
    def __init__(self, document: Json) -> None:
        self._members = Members(document["components"]["schemas"])
        self._tags: dict[str, list[tuple[str, str, Json]]] = {
            tag["name"]: [] for tag in document["tags"]
        }
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                self._tags[operation["tags"][0]].append((method.upper(), path, operation))

    def nav(self) -> str:
        return "".join(
            f'<li><a href="#{_anchor(tag)}">{escape(tag)}</a></li>' for tag in self._tags
        )

    def problems(self) -> str:
        rows = [
            f'<tr id="{code.value}"><td>{kind.status}</td><td><code>{code.value}</code></td>'
            f"<td>{plain(ADVICE[code])}</td></tr>"
            for code, kind in sorted(problems.KINDS.items(), key=lambda one: one[1].status)
        ]
        return "".join(rows)

    def calls(self) -> str:
        return "".join(
            f'<section><h2 id="{_anchor(tag)}">{escape(tag)}</h2>'
            + "".join(self._call(*call) for call in calls)
            + "</section>"
            for tag, calls in self._tags.items()
        )

    def _call(self, method: str, path: str, operation: Json) -> str:
        scopes = " or ".join(operation["x-scopes"])
        parts = [
            f'<article id="{escape(operation["operationId"])}">',
            f"<h3>{escape(operation['summary'])}</h3>",
            f'<p class="line"><b>{method}</b> <code>{_breakable(path)}</code>',
            f' <span class="scope">{escape(scopes)}</span></p>',
        ]
        if text := operation.get("description"):
            parts.append(f"<p>{plain(text)}</p>")
        if parameters := operation.get("parameters"):
            parts.append(_table("Parameters", map(self._parameter, parameters)))
        body = operation.get("requestBody")
        if body is not None:
            name = body["content"]["application/json"]["schema"]["$ref"]
            parts.append(_table("Body", self._members.rows(name)))
        parts.append(_code("Request", _curl(method, path, operation)))
        parts += self._answer(operation)
        codes = ", ".join(
            f'<a href="#{code}"><code>{code}</code></a>' for code in operation["x-codes"]
        )
        parts.append(f"<details><summary>Problems</summary><p>{codes}</p></details></article>")
        return "".join(parts)

    def _parameter(self, parameter: Json) -> tuple[str, str, str]:
        words = self._members.words(parameter["schema"])
        if parameter["in"] == "header":
            words = f"header, {words}"
        if parameter["required"]:
            words += ", required"
        return parameter["name"], words, parameter.get("description", "")

    def _answer(self, operation: Json) -> list[str]:
        status, answer = next(iter(operation["responses"].items()))
        content = answer.get("content", {}).get("application/json")
        if content is None:
            return [f"<p>Answers {status}, without a body.</p>"]
        parts = []
        examples = content.get("examples")
        if examples is not None:
            shown = json.dumps(examples["example"]["value"], indent=2, ensure_ascii=False)
            parts.append(_code(f"Answer: {status}", shown))
        rows = self._members.rows(content["schema"]["$ref"])
        table = _table("", rows)
        parts.append(f"<details><summary>Members of the answer</summary>{table}</details>")
        return parts


def _curl(method: str, path: str, operation: Json) -> str:
    address = f'"$HAZINA{path}"'
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            value = parameter.get("example", parameter["name"].upper())
            address = address.replace(f"{{{parameter['name']}}}", value)
    lines = [f"curl {address}" if method == "GET" else f"curl -X {method} {address}"]
    lines.append('-H "x-api-key: $KEY"')
    required = [one for one in operation.get("parameters", ()) if one["required"]]
    if any(one["in"] == "header" for one in required):
        lines.append('-H "Idempotency-Key: order-1042-try-1"')
    asked = [one["name"] for one in required if one["in"] == "query"]
    if asked:
        lines[0] = lines[0][:-1] + "?" + "&".join(f"{name}=FL-9M2RTC" for name in asked) + '"'
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "examples" in content:
        value = json.dumps(content["examples"]["example"]["value"], ensure_ascii=False)
        lines += ['-H "content-type: application/json"', f"-d '{value}'"]
    return " \\\n  ".join(lines)


def _table(heading: str, rows: Any) -> str:
    body = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{plain(words)}</td>"
        f"<td>{plain(text)}</td></tr>"
        for name, words, text in rows
    )
    head = f"<h4>{heading}</h4>" if heading else ""
    return f'{head}<div class="wide"><table>{body}</table></div>' if body else ""


def _code(heading: str, text: str) -> str:
    return f"<h4>{heading}</h4><pre><code>{escape(text)}</code></pre>"


def _breakable(text: str) -> str:
    """With places where a narrow screen may break the line."""
    return escape(text).replace("/", "/<wbr>")


def _anchor(tag: str) -> str:
    return tag.lower().replace(" ", "-")
