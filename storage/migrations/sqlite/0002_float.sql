-- Buying B2C float with a one-time code: purchases, codes, fees, limits a partner, sealed messages.

-- Operations of more than one type. SQLite cannot change a CHECK, so the table is laid anew.

DROP VIEW topups;

CREATE TABLE operations_new (
    seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- order in which they were begun
    reference       TEXT    NOT NULL UNIQUE,                 -- TU-7K3QF9, FL-…: what people quote
    partner         TEXT    NOT NULL REFERENCES partners (code), -- whose money
    person_id       INTEGER REFERENCES people (id),          -- who began it
    channel         TEXT    NOT NULL,                        -- where it was begun, and is answered
    address         TEXT    NOT NULL,                        -- the account it was begun from
    language        TEXT    NOT NULL,                        -- in which its outcome is told
    type            TEXT    NOT NULL CHECK (type IN ('topup', 'b2c_float_purchase')), -- kind of operation
    state           TEXT    NOT NULL,                        -- how far it is
    reason          TEXT,                                    -- why not paid, rejected, failed, …
    amount_cents    INTEGER NOT NULL CHECK (amount_cents > 0), -- what was asked for, without fees
    currency        TEXT    NOT NULL,                        -- ISO 4217
    phone           TEXT    NOT NULL,                        -- the payer's number; the buyer's own
    receipt         TEXT,                                    -- M-PESA's code, once known
    idempotency_key TEXT    NOT NULL UNIQUE,                 -- the event that asked for it
    created_at      INTEGER NOT NULL,                        -- when it was committed
    settled_at      INTEGER,                                 -- when it reached its latest outcome
    attempt         INTEGER NOT NULL DEFAULT 0,              -- fencing number, grows per claim
    due_at          INTEGER,                                 -- when work on it, or its lease, is due
    claimed         INTEGER NOT NULL DEFAULT 0 CHECK (claimed IN (0, 1)), -- 1: due_at ends a lease
    slow            INTEGER NOT NULL DEFAULT 0 CHECK (slow IN (0, 1)), -- 1: told that it is slow
    listed          INTEGER NOT NULL DEFAULT 1 CHECK (listed IN (0, 1)), -- 0: only quoted, not in history
    CHECK (type = 'topup' AND state IN ('CREATED', 'SENDING', 'PENDING', 'PAID',
               'NOT_PAID', 'REJECTED', 'SEND_UNKNOWN', 'UNKNOWN', 'PAID_LATE')
           OR type = 'b2c_float_purchase' AND state IN ('QUOTED', 'OTP_SENT', 'AUTHORISED',
               'SUBMITTING', 'SUCCEEDED', 'FAILED', 'UNKNOWN', 'OTP_EXPIRED', 'OTP_LOCKED',
               'CANCELLED', 'REFUSED'))
) STRICT;

INSERT INTO operations_new (seq, reference, partner, person_id, channel, address, language, type,
    state, reason, amount_cents, currency, phone, receipt, idempotency_key, created_at, settled_at,
    attempt, due_at, claimed, slow)
SELECT seq, reference, partner, person_id, channel, address, language, type,
    state, reason, amount_cents, currency, phone, receipt, idempotency_key, created_at, settled_at,
    attempt, due_at, claimed, slow
FROM wallet_transactions;

CREATE TABLE push_logs_new (
    reference         TEXT    NOT NULL PRIMARY KEY           -- of the top-up it was sent for
                      REFERENCES operations_new (reference),
    account_reference TEXT    NOT NULL,                      -- what stands behind AccountNo's account
    bank_id           TEXT    UNIQUE,                        -- NCBA's TransactionID
    status            TEXT    NOT NULL,                      -- created, sending, accepted, …
    description       TEXT,                                  -- NCBA's last words, cut to 200
    sent_at           INTEGER,                               -- when the request was committed to go
    answered_at       INTEGER,                               -- when initiate was answered
    last_asked_at     INTEGER,                               -- when the query was last answered
    polls             INTEGER NOT NULL DEFAULT 0             -- how often it was asked about
) STRICT, WITHOUT ROWID;

INSERT INTO push_logs_new SELECT reference, account_reference, bank_id, status, description,
    sent_at, answered_at, last_asked_at, polls FROM ncb_stk_push_logs;

DROP TABLE ncb_stk_push_logs;
DROP TABLE wallet_transactions;
ALTER TABLE operations_new RENAME TO wallet_transactions;
ALTER TABLE push_logs_new RENAME TO ncb_stk_push_logs;

CREATE INDEX wallet_transactions_by_partner ON wallet_transactions (partner, seq) WHERE listed = 1;
CREATE INDEX wallet_transactions_by_day ON wallet_transactions (partner, created_at);
-- SQLite uses a partial index only where a statement repeats its condition, so each has its own.
CREATE INDEX wallet_transactions_paid_by ON wallet_transactions (person_id, seq)
    WHERE state IN ('PAID', 'PAID_LATE');
CREATE INDEX wallet_transactions_bought_by ON wallet_transactions (person_id, seq)
    WHERE state = 'SUCCEEDED';
CREATE INDEX wallet_transactions_due ON wallet_transactions (type, due_at)
    WHERE due_at IS NOT NULL;
CREATE INDEX wallet_transactions_unsent ON wallet_transactions (type, due_at)
    WHERE state IN ('CREATED', 'SENDING');
CREATE INDEX wallet_transactions_unsubmitted ON wallet_transactions (type, due_at)
    WHERE state IN ('AUTHORISED', 'SUBMITTING');
CREATE INDEX wallet_transactions_open ON wallet_transactions (partner, phone, amount_cents)
    WHERE state IN ('CREATED', 'SENDING', 'PENDING', 'SEND_UNKNOWN');
-- A person looks at one quote at a time: the next takes the row over.
CREATE UNIQUE INDEX wallet_transactions_one_quote ON wallet_transactions (channel, address)
    WHERE state = 'QUOTED';

CREATE TABLE float_purchases (
    reference              TEXT    NOT NULL PRIMARY KEY       -- of the operation
                           REFERENCES wallet_transactions (reference),
    short_code             TEXT    NOT NULL,                  -- B2C short code the float is for
    transfer_fee_cents     INTEGER NOT NULL CHECK (transfer_fee_cents >= 0),   -- as quoted
    processing_fee_cents   INTEGER NOT NULL CHECK (processing_fee_cents >= 0), -- as quoted
    transfer_fee_version   INTEGER NOT NULL,                  -- of fee_versions; 0: nothing agreed
    processing_fee_version INTEGER NOT NULL,                  -- of fee_versions; 0: nothing agreed
    quoted_at              INTEGER NOT NULL,                  -- when the quote was made
    authorised_at          INTEGER,                           -- when the code was right, holds placed
    submitted_at           INTEGER,                           -- when the request was committed to go
    bank_id                TEXT                               -- NCBA's own id, where it gave one
) STRICT, WITHOUT ROWID;
CREATE INDEX float_purchases_by_day ON float_purchases (authorised_at)
    WHERE authorised_at IS NOT NULL;

-- The quote binds from the confirm on; before it only a fresh quote may change it.
CREATE TRIGGER float_purchases_keep_quote BEFORE UPDATE ON float_purchases
WHEN (NEW.transfer_fee_cents <> OLD.transfer_fee_cents
      OR NEW.processing_fee_cents <> OLD.processing_fee_cents
      OR NEW.short_code <> OLD.short_code)
 AND (SELECT state FROM wallet_transactions WHERE reference = OLD.reference) <> 'QUOTED'
BEGIN SELECT RAISE(ABORT, 'a confirmed quote is never edited'); END;

CREATE TRIGGER wallet_transactions_keep_amount BEFORE UPDATE ON wallet_transactions
WHEN OLD.state <> 'QUOTED' AND (NEW.amount_cents <> OLD.amount_cents
     OR NEW.currency <> OLD.currency OR NEW.partner <> OLD.partner OR NEW.type <> OLD.type)
BEGIN SELECT RAISE(ABORT, 'what was asked for is never edited'); END;

-- An operation with its push, and with its purchase, in the order in which the program reads them.
CREATE VIEW topups AS
SELECT w.reference, w.partner, w.person_id, w.channel, w.address, w.language,
       w.amount_cents, w.currency, w.phone, w.state, w.reason, w.created_at, p.sent_at,
       w.settled_at, p.bank_id, w.receipt, w.attempt, w.due_at, w.slow, w.seq
FROM wallet_transactions AS w JOIN ncb_stk_push_logs AS p ON p.reference = w.reference
WHERE w.type = 'topup';

CREATE VIEW purchases AS
SELECT w.reference, w.partner, w.person_id, w.channel, w.address, w.language,
       w.amount_cents, w.currency, f.transfer_fee_cents, f.processing_fee_cents,
       f.transfer_fee_version, f.processing_fee_version, w.phone, f.short_code, w.state, w.reason,
       w.created_at, f.quoted_at, f.authorised_at, f.submitted_at, w.settled_at, f.bank_id,
       w.attempt, w.due_at, w.seq
FROM wallet_transactions AS w JOIN float_purchases AS f ON f.reference = w.reference
WHERE w.type = 'b2c_float_purchase';

DROP INDEX provider_calls_one_money_call;
-- One money call per intent, ever: a second one that could have left the machine is refused.
CREATE UNIQUE INDEX provider_calls_one_money_call ON provider_calls (operation)
    WHERE call IN ('initiate', 'float') AND outcome <> 'not_sent';

-- The ledger: two more accounts for each partner ---------------------------------------------

INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft)
SELECT w.partner, k.column1, w.currency, 'credit', 0
FROM partner_wallets AS w CROSS JOIN (VALUES ('transfer_fee'), ('processing_fee')) AS k
WHERE true ON CONFLICT (partner, kind, currency) DO NOTHING;

-- Fees and limits ------------------------------------------------------------------------------

CREATE TABLE fee_versions (
    partner       TEXT    NOT NULL REFERENCES partners (code), -- whose contract
    kind          TEXT    NOT NULL CHECK (kind IN ('transfer', 'processing')), -- which fee
    version       INTEGER NOT NULL CHECK (version > 0),       -- grows with every change
    valid_from    INTEGER NOT NULL,                           -- in force from here to the next
    currency      TEXT    NOT NULL,                           -- ISO 4217
    fixed_cents   INTEGER NOT NULL CHECK (fixed_cents >= 0),  -- the fixed part
    ppm           INTEGER NOT NULL CHECK (ppm BETWEEN 0 AND 1000000), -- millionths of the amount
    minimum_cents INTEGER,                                    -- of the sum; NULL: none
    maximum_cents INTEGER,                                    -- of the sum; NULL: none
    source        TEXT    NOT NULL,                           -- who set it
    PRIMARY KEY (partner, kind, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE limits_new (
    name         TEXT    NOT NULL,                           -- c2b.min, float.max, float.day, …
    partner      TEXT    NOT NULL DEFAULT '',                -- whose; '': everybody without their own
    valid_from   INTEGER NOT NULL,                           -- in force from here to the next row
    amount_cents INTEGER NOT NULL CHECK (amount_cents >= 0), -- the limit
    currency     TEXT    NOT NULL,                           -- ISO 4217
    source       TEXT    NOT NULL,                           -- who set it
    PRIMARY KEY (name, partner, valid_from)
) STRICT, WITHOUT ROWID;
INSERT INTO limits_new (name, valid_from, amount_cents, currency, source)
    SELECT name, valid_from, amount_cents, currency, source FROM limits;
DROP TABLE limits;
ALTER TABLE limits_new RENAME TO limits;
INSERT INTO limits (name, valid_from, amount_cents, currency, source) VALUES
    ('float.min', 1692046800000, 1000, 'KES', 'M-PESA B2C, 15 August 2023'),
    ('float.max', 1692046800000, 25000000, 'KES', 'M-PESA B2C, 15 August 2023');

-- One-time codes -------------------------------------------------------------------------------

CREATE TABLE otp_validations (
    id           TEXT    NOT NULL PRIMARY KEY,               -- drawn, part of what is digested
    purpose      TEXT    NOT NULL                            -- what kind of thing it approves
                 CHECK (purpose IN ('float_purchase', 'disbursement', 'wallet_topup')),
    operation    TEXT    NOT NULL,                           -- the one operation it approves
    partner      TEXT    NOT NULL REFERENCES partners (code), -- of the one partner
    person_id    INTEGER NOT NULL REFERENCES people (id),    -- by the one person
    amount_cents INTEGER NOT NULL,                           -- of the one amount, as it was shown
    currency     TEXT    NOT NULL,                           -- ISO 4217
    destination  TEXT    NOT NULL,                           -- to the one destination
    phone        TEXT    NOT NULL,                           -- where it was sent
    pepper_id    TEXT    NOT NULL,                           -- which key digested it
    digest       TEXT    NOT NULL,                           -- HMAC-SHA256; the code is nowhere
    status       TEXT    NOT NULL                            -- only pending ones can pass
                 CHECK (status IN ('pending', 'used', 'expired', 'locked', 'killed')),
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 3), -- checks counted
    sent         INTEGER NOT NULL CHECK (sent BETWEEN 1 AND 3), -- number among its operation's codes
    created_at   INTEGER NOT NULL,                           -- when it was drawn
    expires_at   INTEGER NOT NULL,                           -- from this moment on it is expired
    ended_at     INTEGER,                                    -- when it left pending
    UNIQUE (operation, sent)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX otp_validations_one_pending ON otp_validations (operation)
    WHERE status = 'pending';
CREATE INDEX otp_validations_by_partner ON otp_validations (partner, created_at);
CREATE INDEX otp_validations_by_phone ON otp_validations (phone, created_at);
CREATE INDEX otp_validations_by_expiry ON otp_validations (expires_at) WHERE status = 'pending';
CREATE INDEX otp_validations_by_age ON otp_validations (created_at) WHERE status <> 'pending';

-- A code in the order in which the program reads it.
CREATE VIEW codes AS
SELECT id, purpose, operation, partner, person_id, amount_cents, currency, destination, phone,
       pepper_id, digest, status, attempts, sent, created_at, expires_at
FROM otp_validations;

CREATE TRIGGER otp_validations_end_once BEFORE UPDATE ON otp_validations
WHEN OLD.status <> 'pending'
BEGIN SELECT RAISE(ABORT, 'a code that has ended stays as it is'); END;

CREATE TABLE otp_locks (
    phone       TEXT    NOT NULL,                            -- purchases with it are locked
    locked_at   INTEGER NOT NULL,                            -- when the last code was locked
    unlocked_at INTEGER,                                     -- when an admin unlocked it
    unlocked_by TEXT,                                        -- which admin
    PRIMARY KEY (phone, locked_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX addresses_by_person ON addresses (person_id);
ALTER TABLE people ADD COLUMN phone_changed_at INTEGER;      -- when the number was last another

-- Messages: texts, mails and what is sealed until it is sent ------------------------------------

CREATE TABLE outbox_new (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,   -- order of sending within a chat
    channel    TEXT    NOT NULL,                             -- telegram, terminal, sms, mail
    address    TEXT    NOT NULL,                             -- chat; phone for SMS; mail address
    event_id   TEXT,                                         -- the event it answers; NULL: by itself
    n          INTEGER NOT NULL DEFAULT 0,                   -- number among that event's answers
    kind       TEXT    NOT NULL                              -- to a turn, by itself, a code, or a deed
               CHECK (kind IN ('answer', 'progress', 'receipt', 'notice', 'code', 'wipe')),
    slot       TEXT,                                         -- live message it belongs to
    edits      INTEGER NOT NULL CHECK (edits IN (0, 1)),     -- 1: replace the slot's message
    text       TEXT    NOT NULL,                             -- as the person reads it, or sealed
    rows       TEXT    NOT NULL,                             -- JSON: rows of [option id, label]
    turn       INTEGER NOT NULL,                             -- the turn its buttons carry
    fallback   TEXT,                                         -- phone to text when the chat is shut
    protect    INTEGER NOT NULL CHECK (protect IN (0, 1)),   -- 1: may not be forwarded
    otp        TEXT,                                         -- code it carries: its text is sealed
    target     TEXT,                                         -- message that a wipe takes away
    state      TEXT    NOT NULL                              -- dead: it will never arrive
               CHECK (state IN ('queued', 'sent', 'dead')),
    attempts   INTEGER NOT NULL DEFAULT 0,                   -- sends tried
    due_at     INTEGER NOT NULL,                             -- not before
    created_at INTEGER NOT NULL,                             -- when its turn was committed
    error      TEXT,                                         -- why it is dead, or was last refused
    message_id TEXT,                                         -- the carrier's id of it, once taken
    delivered  INTEGER CHECK (delivered IN (0, 1)),          -- what a delivery report said; NULL: nothing
    UNIQUE (channel, event_id, n)
) STRICT;
INSERT INTO outbox_new (id, channel, address, event_id, n, kind, slot, edits, text, rows, turn,
    fallback, protect, state, attempts, due_at, created_at, error)
SELECT id, channel, address, event_id, n, kind, slot, edits, text, rows, turn,
    fallback, protect, state, attempts, due_at, created_at, error FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_new RENAME TO outbox;
CREATE INDEX outbox_queued ON outbox (id) WHERE state = 'queued';
CREATE INDEX outbox_by_age ON outbox (created_at) WHERE state <> 'queued';
CREATE INDEX outbox_by_otp ON outbox (otp) WHERE otp IS NOT NULL;
CREATE INDEX outbox_by_message ON outbox (channel, message_id)
    WHERE channel IN ('sms', 'mail') AND message_id IS NOT NULL;

-- Sealed texts are wiped with the code they carry.
CREATE TRIGGER otp_validations_wipe AFTER UPDATE OF status ON otp_validations
WHEN NEW.status <> 'pending'
BEGIN
    UPDATE outbox SET state = 'dead', text = '', error = 'the code has ended'
    WHERE otp = NEW.id AND state = 'queued';
END;
