"""Credentials of the simulated product and the settings that hold them. All are invented."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from bot.simulation.daraja.credentials import CREDENTIALS as DARAJA
from bot.simulation.daraja.security_credential import seal
from bot.simulation.ncba.bank import NOTIFY
from bot.simulation.ncba.openbanking_api import PREFIX, SIMULATED_FAILED_CODE
from bot.simulation.settings import SimulatedSettings

NCBA_PASSWORD = "simulated-password"
FLOAT_PASSWORD = "simulated-float-password"
FLOAT_KEY = "simulated-subscription-key"
ACCOUNT_NUMBER = "774451"
SHORT_CODE = DARAJA.short_code
BANK_HOST = "bank.simulated"
DARAJA_HOST = "daraja.simulated"
DARAJA_SECRET = "simulated-daraja-address-of-the-results"
# The same in every simulation, so that data sealed by one run can be opened by the next.
KEYS = "sim:c2ltdWxhdGVkLWtleS1mb3ItdGVzdHMtb25seS0wMDA="
NOTIFY_SECRET = "simulated-notify-address"
USSD_SECRET = "simulated-ussd-address-of-the-gateway"
USSD_CODE = "*384*7#"


def settings_with_credentials(database: Path) -> SimulatedSettings:
    return SimulatedSettings(
        database=database,
        ncba_base_url=f"http://{BANK_HOST}",
        ncba_username="hazina",
        ncba_password=SecretStr(NCBA_PASSWORD),
        ncba_account_number=ACCOUNT_NUMBER,
        openbanking_base_url=f"http://{BANK_HOST}{PREFIX}",
        openbanking_subscription_key=SecretStr(FLOAT_KEY),
        openbanking_user_id="hazina-float",
        openbanking_password=SecretStr(FLOAT_PASSWORD),
        openbanking_part_shillings=True,
        openbanking_failed_codes=frozenset({SIMULATED_FAILED_CODE}),
        b2c_short_code=SHORT_CODE,
        daraja_base_url=f"http://{DARAJA_HOST}",
        daraja_consumer_key=SecretStr(DARAJA.consumer_key),
        daraja_consumer_secret=SecretStr(DARAJA.consumer_secret),
        daraja_initiator_name=DARAJA.initiator_name,
        daraja_security_credential=SecretStr(seal(DARAJA.initiator_password)),
        daraja_callback_url="https://desk.simulated",
        daraja_callback_secret=SecretStr(DARAJA_SECRET),
        ncba_till="PAY100D",
        ncba_notify_secret=SecretStr(NOTIFY_SECRET),
        ncba_notify_username=NOTIFY.username,
        ncba_notify_password=SecretStr(NOTIFY.password),
        ncba_notify_key=SecretStr(NOTIFY.secret_key),
        hazina_keys=SecretStr(KEYS),
        ussd_secret=SecretStr(USSD_SECRET),
        ussd_codes=(USSD_CODE,),
    )
