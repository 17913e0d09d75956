"""Credentials of the simulated product and the settings that hold them. All are invented."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from bot.simulation.ncba.bank import NOTIFY
from bot.simulation.ncba.openbanking_api import PREFIX, SIMULATED_FAILED_CODE
from bot.simulation.settings import SimulatedSettings

NCBA_PASSWORD = "simulated-password"
FLOAT_PASSWORD = "simulated-float-password"
FLOAT_KEY = "simulated-subscription-key"
ACCOUNT_NUMBER = "774451"
SHORT_CODE = "400187"
# The same in every simulation, so that data sealed by one run can be opened by the next.
KEYS = "sim:c2ltdWxhdGVkLWtleS1mb3ItdGVzdHMtb25seS0wMDA="
NOTIFY_SECRET = "simulated-notify-address"
USSD_SECRET = "simulated-ussd-address-of-the-gateway"
USSD_CODE = "*384*7#"


def settings_with_credentials(database: Path) -> SimulatedSettings:
    return SimulatedSettings(
        database=database,
        ncba_base_url="http://bank.simulated",
        ncba_username="hazina",
        ncba_password=SecretStr(NCBA_PASSWORD),
        ncba_account_number=ACCOUNT_NUMBER,
        openbanking_base_url=f"http://bank.simulated{PREFIX}",
        openbanking_subscription_key=SecretStr(FLOAT_KEY),
        openbanking_user_id="hazina-float",
        openbanking_password=SecretStr(FLOAT_PASSWORD),
        openbanking_part_shillings=True,
        openbanking_failed_codes=frozenset({SIMULATED_FAILED_CODE}),
        b2c_short_code=SHORT_CODE,
        ncba_till="PAY100D",
        ncba_notify_secret=SecretStr(NOTIFY_SECRET),
        ncba_notify_username=NOTIFY.username,
        ncba_notify_password=SecretStr(NOTIFY.password),
        ncba_notify_key=SecretStr(NOTIFY.secret_key),
        hazina_keys=SecretStr(KEYS),
        ussd_secret=SecretStr(USSD_SECRET),
        ussd_codes=(USSD_CODE,),
    )
