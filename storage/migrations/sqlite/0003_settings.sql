-- What partners and people choose: marks, notifications, remembered phones; statements on request.

ALTER TABLE partner_wallets ADD COLUMN low_float_cents INTEGER NOT NULL DEFAULT 0
    CHECK (low_float_cents >= 0);                            -- float is low below it; 0: no mark

CREATE TABLE notifications (
    partner   TEXT    NOT NULL REFERENCES partners (code),   -- who chose
    kind      TEXT    NOT NULL                               -- what is told
              CHECK (kind IN ('low_wallet', 'low_float', 'topup_paid', 'digest')),
    chat      TEXT    NOT NULL CHECK (chat IN ('on', 'silent', 'off')), -- in the chat
    sms       INTEGER NOT NULL CHECK (sms IN (0, 1)),        -- 1: by SMS too
    owners    INTEGER NOT NULL CHECK (owners IN (0, 1)),     -- 1: every owner hears, not only who began it
    last_day  TEXT,                                          -- digest: the business day last told, ISO
    PRIMARY KEY (partner, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE forgotten_phones (
    person_id INTEGER NOT NULL REFERENCES people (id),       -- who does not want it offered
    phone     TEXT    NOT NULL,                              -- a number once paid from
    at        INTEGER NOT NULL,                              -- payments until then do not count
    PRIMARY KEY (person_id, phone)
) STRICT, WITHOUT ROWID;

ALTER TABLE outbox ADD COLUMN silent INTEGER NOT NULL DEFAULT 0
    CHECK (silent IN (0, 1));                                -- 1: shown without a sound
ALTER TABLE outbox ADD COLUMN document TEXT;                 -- document that goes with it

CREATE TABLE documents (
    reference  TEXT    NOT NULL PRIMARY KEY,                 -- ST-7K3QF9
    partner    TEXT    NOT NULL REFERENCES partners (code),  -- whose wallet it tells of
    channel    TEXT    NOT NULL,                             -- where it was asked for, and is sent
    address    TEXT    NOT NULL,                             -- by which account
    language   TEXT    NOT NULL,                             -- in which its caption is worded
    format     TEXT    NOT NULL CHECK (format IN ('pdf', 'csv', 'chart')), -- what is made
    first_day  TEXT    NOT NULL,                             -- first business day, ISO
    last_day   TEXT    NOT NULL,                             -- last business day, ISO
    state      TEXT    NOT NULL CHECK (state IN ('REQUESTED', 'MADE', 'FAILED')), -- how far it is
    attempts   INTEGER NOT NULL DEFAULT 0,                   -- how often it was begun
    created_at INTEGER NOT NULL,                             -- when it was asked for
    name       TEXT,                                         -- file name, once made
    content    BLOB                                          -- the file, until it is sent or old
) STRICT;
CREATE INDEX documents_requested ON documents (created_at) WHERE state = 'REQUESTED';
CREATE INDEX documents_by_age ON documents (created_at);

-- An account's statement is read by business days, and its opening balance is a sum up to one.
CREATE INDEX transfers_by_debit
    ON transfers (debit_partner, debit_kind, booked_at, phase, amount_cents);
CREATE INDEX transfers_by_credit
    ON transfers (credit_partner, credit_kind, booked_at, phase, amount_cents);
