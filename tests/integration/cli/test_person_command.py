"""``hazina person add``: who is linked, and what stays unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.maintenance.people import PersonRefused, add_person
from services.domain.partner import Person, Role
from storage.sqlite.database import Database


async def add(
    folder: Path,
    *,
    role: str | None = None,
    phone: str = "0712345678",
    telegram: str = "77",
    email: str | None = None,
    partner: str = "FINSAFE",
    new_partner: bool = True,
    name: str = "Amina",
) -> str:
    return await add_person(
        folder / "hazina.db",
        partner=partner,
        new_partner=new_partner,
        name=name,
        role=role,
        phone=phone,
        telegram=telegram,
        email=email,
    )


async def person_at(folder: Path, address: str) -> Person | None:
    database = await Database.open(folder / "hazina.db", SystemClock().now)
    try:
        return await database.read(lambda tx: tx.people.at("telegram", address))
    finally:
        await database.close()


async def test_a_new_person_is_an_owner_unless_said(tmp_path: Path) -> None:
    await add(tmp_path)
    await add(tmp_path, name="Juma", telegram="78", role="viewer")
    amina, juma = await person_at(tmp_path, "77"), await person_at(tmp_path, "78")
    assert amina is not None
    assert juma is not None
    assert (amina.role, juma.role) == (Role.OWNER, Role.VIEWER)


async def test_a_second_account_changes_neither_role_nor_mail(tmp_path: Path) -> None:
    await add(tmp_path, role="viewer", email="amina@finsafe.example")
    await add(tmp_path, telegram="78")
    amina = await person_at(tmp_path, "78")
    assert amina is not None
    assert (amina.role, amina.email) == (Role.VIEWER, "amina@finsafe.example")


async def test_an_account_of_another_partner_is_refused(tmp_path: Path) -> None:
    await add(tmp_path)
    with pytest.raises(PersonRefused, match="another partner"):
        await add(tmp_path, partner="DUKA")


async def test_a_partner_is_added_only_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(PersonRefused, match="--new-partner"):
        await add(tmp_path, new_partner=False)


@pytest.mark.parametrize("phone", ["0199999999", "0201234567", "+255712345678", "words", ""])
async def test_what_is_no_kenyan_mobile_is_refused(tmp_path: Path, phone: str) -> None:
    with pytest.raises(PersonRefused, match="Kenyan mobile"):
        await add(tmp_path, phone=phone)


@pytest.mark.parametrize(
    "change", [{"partner": "finsafe"}, {"partner": "HOUSE"}, {"name": "1"}, {"telegram": "@amina"}]
)
async def test_what_cannot_be_a_code_a_name_or_an_id_is_refused(
    tmp_path: Path, change: dict[str, str]
) -> None:
    with pytest.raises(PersonRefused):
        await add(tmp_path, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["AMINA", "Am1na", "\u0410mina", "Amina!", "\u200b"])
async def test_what_looks_like_somebody_who_is_there_or_is_no_name_is_refused(
    tmp_path: Path, name: str
) -> None:
    await add(tmp_path)
    with pytest.raises(PersonRefused):
        await add(tmp_path, name=name, telegram="78")
    assert await person_at(tmp_path, "78") is None


async def test_a_name_is_kept_as_it_is_seen(tmp_path: Path) -> None:
    await add(tmp_path)
    await add(tmp_path, name=" Ami\u200bna ", telegram="78")
    amina, again = await person_at(tmp_path, "77"), await person_at(tmp_path, "78")
    assert amina is not None
    assert again == amina
