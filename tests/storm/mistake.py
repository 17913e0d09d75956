"""What a deliberate mistake is: a patch of the running program, and who may notice it first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

Make = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Mistake:
    """``caught_by`` are the invariants that may detect it first."""

    name: str
    make: Make
    caught_by: frozenset[str]


def instead(target: Any, name: str, wrong: Callable[..., Any]) -> Make:
    """``wrong`` receives the original function and the call's arguments."""

    def make() -> AbstractContextManager[Any]:
        right = getattr(target, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            return wrong(right, *args, **kwargs)

        return mock.patch.object(target, name, called)

    return make


def instead_of_property(target: Any, name: str, wrong: Callable[[Any], Any]) -> Make:
    """``wrong`` receives the object alone."""

    def make() -> AbstractContextManager[Any]:
        assert isinstance(getattr(target, name), property)
        return mock.patch.object(target, name, property(wrong))

    return make


def all_of(*makes: Make) -> Make:
    @contextmanager
    def make() -> Iterator[None]:
        with ExitStack() as stack:
            for one in makes:
                stack.enter_context(one())
            yield

    return make


def caught(*names: str) -> frozenset[str]:
    return frozenset(names)
