"""Applies a script's ``given`` lines: settings, the outside and initial rows of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydantic import ValidationError

from bot.environment.setting_errors import describe_errors
from bot.scripts.given import Given, GivenAdmin, GivenFee, GivenPartner, GivenPerson, GivenSetting
from bot.simulation.inboxes import CARRIER_FAULTS
from bot.simulation.ncba.collections_api import AcceptedAccounts
from bot.simulation.ncba.statements import StatementDefect
from bot.simulation.opening_balances import add_partner
from bot.simulation.settings import SimulatedSettings
from bot.simulation.world import World
from flows.engine.texts import Texts
from services.domain.fees import Fee, FeeKind, percent_to_ppm
from services.domain.limits import LIMITS
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.ports import Tx

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)  # when people of the script were linked
MOMENT = "%Y-%m-%dT%H:%M:%SZ"
CARRIERS = ("simulated_sms", "simulated_mail")  # values: up, down, refuses, unsure
STATEMENT = "simulated_statement"  # the defect of the statement's first line
ACCOUNT_NO = "simulated_account_no"  # which account numbers the bank accepts
START = "simulated_start"  # what the clock shows at first, in UTC; not before people were linked


def with_settings(
    settings: SimulatedSettings, givens: Sequence[Given], addresses: Mapping[str, str]
) -> SimulatedSettings:
    """The world's settings, overridden by the script's settings and admins."""
    by_name = {given.name: given for given in givens if isinstance(given, GivenSetting)}
    values = settings.model_dump()
    for name, given in by_name.items():
        if name.lower() in SimulatedSettings.model_fields:
            values[name.lower()] = given.value
        elif name not in (*LIMITS, *CARRIERS, STATEMENT, ACCOUNT_NO, START):
            raise given.at.error(f"this build has no setting {name}")
    values["admin_ids"] = frozenset(
        addresses[given.name] for given in givens if isinstance(given, GivenAdmin)
    )
    try:
        return SimulatedSettings(**values)
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
        first = next((given for name, given in by_name.items() if name.lower() in wrong), None)
        at = (first or next(iter(by_name.values()))).at
        raise at.error("; ".join(describe_errors(error))) from None


def given_start(givens: Sequence[Given]) -> datetime | None:
    """Raises ``ScriptError`` for what is no moment of the years 2026 to 2099."""
    start = None
    for given in givens:
        if isinstance(given, GivenSetting) and given.name == START:
            try:
                start = datetime.strptime(given.value, MOMENT).replace(tzinfo=UTC)
            except ValueError:
                start = None
            if start is None or not 2026 <= start.year < 2100:
                raise given.at.error(f"{START} is a moment in UTC such as 2026-03-02T06:00:00Z")
    return start


def prepare_outside(world: World, givens: Sequence[Given]) -> None:
    for given in givens:
        if isinstance(given, GivenPartner):
            world.daraja.opening(given.float.cents)
        if isinstance(given, GivenSetting) and given.name == ACCOUNT_NO:
            if given.value not in list(AcceptedAccounts):
                raise given.at.error(f"{ACCOUNT_NO} is {', '.join(AcceptedAccounts)}")
            world.bank.accept_accounts(AcceptedAccounts(given.value))
        if isinstance(given, GivenSetting) and given.name == STATEMENT:
            if given.value not in list(StatementDefect):
                raise given.at.error(f"{STATEMENT} is {', '.join(StatementDefect)}")
            world.bank.statements.defects.append(StatementDefect(given.value))
        if isinstance(given, GivenSetting) and given.name in CARRIERS:
            if given.value not in CARRIER_FAULTS:
                raise given.at.error(f"{given.name} is {', '.join(CARRIER_FAULTS)}")
            inboxes = world.sms if given.name == "simulated_sms" else world.mail
            inboxes.fault = CARRIER_FAULTS[given.value]


def seed_database(
    tx: Tx, givens: Sequence[Given], channel: str, addresses: Mapping[str, str]
) -> None:
    languages = Texts.load().languages
    # Partners first, because people belong to partners and a script may list them in any order.
    for given in sorted(givens, key=lambda given: not isinstance(given, GivenPartner)):
        match given:
            case GivenPartner():
                partner = Partner(
                    given.code,
                    low_balance_cents=given.threshold.cents,
                    suspended=given.suspended,
                )
                add_partner(tx, partner, given.wallet, given.float)
            case GivenPerson():
                if given.lang is not None and given.lang not in languages:
                    raise given.at.error(f"this build does not speak {given.lang}")
                try:
                    phone = Phone(given.phone)
                except ValueError as error:
                    raise given.at.error(str(error)) from None
                person_id = tx.people.add_person(
                    given.partner,
                    given.name,
                    Role(given.role),
                    phone,
                    given.email,
                    given.lang or "en",
                )
                if given.linked:
                    address = addresses[given.name]
                    tx.people.link(channel, address, person_id, since=LONG_AGO)
            case GivenSetting() if given.name in LIMITS:
                tx.limits.set(given.name, 0, _money(given), "script")
                newest = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
                tx.limits.set(given.name, newest, _money(given), "script")
            case GivenFee():
                tx.fees.set(given.partner, _fee(given), "script", valid_from_ms=0)
            case GivenAdmin() | GivenSetting():
                pass


def _fee(given: GivenFee) -> Fee:
    try:
        return Fee(
            FeeKind(given.kind),
            fixed=given.fixed,
            ppm=percent_to_ppm(given.percent or "0"),
            minimum=given.minimum,
            maximum=given.maximum,
        )
    except ValueError as error:
        raise given.at.error(str(error)) from None


def _money(given: GivenSetting) -> Money:
    try:
        return Money.of(given.value)
    except ValueError as error:
        raise given.at.error(str(error)) from None
