"""Fixtures for the tests in this folder."""

from __future__ import annotations

import pytest

from tests.kit.plain_store import PlainStore
from tests.kit.statement_books import StatementBooks


@pytest.fixture
def books(fresh_store: PlainStore) -> StatementBooks:
    return StatementBooks(fresh_store)


@pytest.fixture
def served(books: StatementBooks) -> StatementBooks:
    books.store.person()
    return books
