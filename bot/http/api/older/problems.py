"""Problems under the older names: the same, with the two members that its clients look for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.calls.answers import FieldError, Problem
from bot.http.api import problems


def document(problem: Problem, request_id: str) -> dict[str, Any]:
    return {"success": False, "error": problem.detail, **problems.document(problem, request_id)}


def under_older_names(problem: Problem, names: Mapping[str, str]) -> Problem:
    """``names``: what a pointer of the call is in the older request."""
    errors = tuple(
        FieldError(names.get(error.pointer, error.pointer), error.detail)
        for error in problem.errors
    )
    return replace(problem, errors=errors)
