"""Flows call only what is declared, with arguments and rights that fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.turns.registry import HANDLERS
from flows.admin.search import PENDING
from flows.balance import BALANCE
from flows.engine.check import flow_errors
from flows.engine.declarations import Declaration, HandlerKind
from flows.engine.nodes import Choose, Do, Flow
from flows.engine.texts import Texts
from flows.float import FLOAT
from flows.history import HISTORY
from flows.joining import JOIN
from flows.settings import SETTINGS
from flows.statement import STATEMENT
from flows.topup import TOPUP, TopUpData
from services.domain.ids import Reference
from services.domain.money import Money
from services.domain.partner import Right

TEXTS = Texts.load()


class WithMistake:
    """The declarations of this program, one of which is different or gone."""

    def __init__(self, kind: HandlerKind, name: str, **changes: Any) -> None:
        self._key = kind, name
        declared = HANDLERS[kind, name]
        self._wrong = replace(declared, **changes) if changes else None

    def get(self, kind: HandlerKind, name: str) -> Declaration | None:
        return self._wrong if (kind, name) == self._key else HANDLERS.get(kind, name)

    def __iter__(self) -> Iterator[Declaration]:
        raise NotImplementedError


def found(flow: Flow, declared: Any = HANDLERS) -> set[str]:
    return set(flow_errors(flow, TEXTS, declared))


USE_CASE, CODE_CHECK, ACTION = HandlerKind.USE_CASE, HandlerKind.CODE_CHECK, HandlerKind.ACTION
VIEW, SUGGESTION = HandlerKind.VIEW, HandlerKind.SUGGESTION


@pytest.mark.parametrize(
    ("flow", "kind", "name", "node"),
    [
        (TOPUP, USE_CASE, "secure_topup", "topup.secure"),
        (TOPUP, CODE_CHECK, "check_topup_code", "topup.code"),
        (TOPUP, ACTION, "resend_topup_code", "topup.code"),
        (TOPUP, ACTION, "topup_code_stands", "topup.code"),
        (TOPUP, SUGGESTION, "amounts", "topup.amount"),
        (TOPUP, ACTION, "cancel_topup", "topup"),
        (BALANCE, VIEW, "balance", "balance.show"),
        (SETTINGS, VIEW, "notices", "settings.notices"),
        (HISTORY, ACTION, "check_operation", "history.detail"),
        (PENDING, ACTION, "ask_bank", "pending.list"),
        (PENDING, HandlerKind.COUNT, "pending", "pending"),
    ],
)
def test_what_is_not_declared_is_a_fault(
    flow: Flow, kind: HandlerKind, name: str, node: str
) -> None:
    assert f"{node}: there is no {kind} {name}" in found(flow, WithMistake(kind, name))


@pytest.mark.parametrize(
    ("flow", "declared", "fault"),
    [
        (
            TOPUP,
            WithMistake(USE_CASE, "start_topup", needs=Right.VIEW),
            "topup.push: moves money, but start_topup does not need the right to",
        ),
        (
            FLOAT,
            WithMistake(CODE_CHECK, "check_float_code", needs=Right.VIEW),
            "float.code: moves money, but check_float_code does not need the right to",
        ),
        (
            SETTINGS,
            WithMistake(USE_CASE, "set_language", needs=None),
            "settings.set_language: use case set_language needs no right, but the flow does",
        ),
        (
            SETTINGS,
            WithMistake(USE_CASE, "set_language", needs=Right.ADMIN),
            "settings.set_language: only one of use case set_language and the flow is for admins",
        ),
        (
            JOIN,
            WithMistake(USE_CASE, "send_join_code", needs=Right.VIEW),
            "join.send: use case send_join_code needs a right, but strangers may enter the flow",
        ),
        (
            BALANCE,
            WithMistake(VIEW, "balance", needs=Right.MOVE_MONEY),
            "balance.show: view balance needs more than the flow",
        ),
        (
            HISTORY,
            WithMistake(VIEW, "operation", needs=None),
            "history.detail: view operation needs no right, but the flow does",
        ),
    ],
)
def test_a_right_that_does_not_fit_the_flow_is_a_fault(
    flow: Flow, declared: WithMistake, fault: str
) -> None:
    assert fault in found(flow, declared)


@pytest.mark.parametrize(
    ("flow", "declared", "fault"),
    [
        (
            TOPUP,
            WithMistake(USE_CASE, "secure_topup", parameters={"amount": int}),
            "topup.secure: amount is not of the type that use case secure_topup takes as amount",
        ),
        (
            TOPUP,
            WithMistake(USE_CASE, "secure_topup", parameters={"fees": Money}),
            "topup.secure: does not give fees to use case secure_topup",
        ),
        (
            TOPUP,
            WithMistake(USE_CASE, "start_topup", parameters={"operation": Reference}),
            "topup.push: reference is not set on every path, but use case start_topup needs it",
        ),
        (
            HISTORY,
            WithMistake(VIEW, "operation", parameters={"reference": str}),
            "history.detail: reference is not of the type that view operation takes as reference",
        ),
        (
            STATEMENT,
            WithMistake(USE_CASE, "request_document", parameters={"operation": Reference}),
            "statement.make: does not name the operation that use case request_document continues",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_a_fault(
    flow: Flow, declared: WithMistake, fault: str
) -> None:
    assert fault in found(flow, declared)


def test_a_field_of_a_name_that_the_engine_fills_is_a_fault() -> None:
    class WithOperation(TopUpData):
        operation: Reference | None = None

    nodes = tuple(
        replace(node, args=("operation",)) if isinstance(node, Do) and node.id == "push" else node
        for node in TOPUP.nodes
    )
    fault = "topup.push: operation is filled by the engine, and cannot be a field for use case"
    broken = replace(TOPUP, data=WithOperation, nodes=nodes)
    assert any(error.startswith(fault) for error in found(broken))


def test_an_operation_that_is_no_reference_is_a_fault() -> None:
    class Loose(TopUpData):
        reference: str | None = None  # type: ignore[assignment]

    fault = "topup.code: reference names an operation, but is no Reference"
    assert fault in found(replace(TOPUP, data=Loose))


def test_what_is_picked_from_a_list_but_is_no_reference_is_a_fault() -> None:
    class Loose(HISTORY.data):  # type: ignore[name-defined,misc]
        reference: str | None = None

    fault = "history.list: reference names an operation, but is no Reference"
    assert fault in found(replace(HISTORY, data=Loose))


def test_an_option_is_shown_only_to_who_may_use_what_it_leads_to() -> None:
    menu = SETTINGS.node("menu")
    assert isinstance(menu, Choose)
    options = tuple(replace(option, right=None) for option in menu.options)
    nodes = tuple(
        replace(menu, options=options) if node.id == "menu" else node for node in SETTINGS.nodes
    )
    found = list(flow_errors(replace(SETTINGS, nodes=nodes), TEXTS, HANDLERS))
    assert "settings.set_second: set_second needs more than what leads there is shown to" in found
    assert "settings.set_notice: set_notice needs more than what leads there is shown to" in found


def test_what_waits_in_an_admins_flow_is_counted_for_admins_only() -> None:
    declared = WithMistake(HandlerKind.COUNT, "pending", needs=Right.VIEW)
    assert found(PENDING, declared) == {
        "pending: only one of count pending and the flow is for admins"
    }


def test_a_count_takes_nothing() -> None:
    declared = WithMistake(HandlerKind.COUNT, "pending", parameters={"code": str})
    assert found(PENDING, declared) == {"pending: count pending takes nothing"}
