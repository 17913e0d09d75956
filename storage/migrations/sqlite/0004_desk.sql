-- People join by invitation, admins run the desk, and every act leaves a trace.

-- A purchase may wait for a second person; a correction is an operation of its own. SQLite cannot
-- change a CHECK, so the tables are laid anew.

DROP VIEW topups;
DROP VIEW purchases;
DROP VIEW codes;

CREATE TABLE operations_new (
    seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- order in which they were begun
    reference       TEXT    NOT NULL UNIQUE,                 -- TU-7K3QF9, FL-…: what people quote
    partner         TEXT    NOT NULL REFERENCES partners (code), -- whose money
    person_id       INTEGER REFERENCES people (id),          -- who began it
    channel         TEXT    NOT NULL,                        -- where it was begun, and is answered
    address         TEXT    NOT NULL,                        -- the account it was begun from
    language        TEXT    NOT NULL,                        -- in which its outcome is told
    type            TEXT    NOT NULL -- kind of operation
                    CHECK (type IN ('topup', 'b2c_float_purchase', 'adjustment')),
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
           OR type = 'adjustment' AND state = 'POSTED'
           OR type = 'b2c_float_purchase' AND state IN ('QUOTED', 'AWAITING_APPROVAL', 'OTP_SENT', 'AUTHORISED',
               'SUBMITTING', 'SUCCEEDED', 'FAILED', 'UNKNOWN', 'OTP_EXPIRED', 'OTP_LOCKED',
               'CANCELLED', 'REFUSED'))
) STRICT;

INSERT INTO operations_new (seq, reference, partner, person_id, channel, address, language, type, state, reason, amount_cents,
    currency, phone, receipt, idempotency_key, created_at, settled_at, attempt, due_at, claimed, slow,
    listed)
SELECT seq, reference, partner, person_id, channel, address, language, type, state, reason, amount_cents,
    currency, phone, receipt, idempotency_key, created_at, settled_at, attempt, due_at, claimed, slow,
    listed
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

CREATE TABLE purchases_new (
    reference              TEXT    NOT NULL PRIMARY KEY       -- of the operation
                           REFERENCES operations_new (reference),
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
INSERT INTO purchases_new (reference, short_code, transfer_fee_cents, processing_fee_cents, transfer_fee_version,
    processing_fee_version, quoted_at, authorised_at, submitted_at, bank_id)
SELECT reference, short_code, transfer_fee_cents, processing_fee_cents, transfer_fee_version,
    processing_fee_version, quoted_at, authorised_at, submitted_at, bank_id FROM float_purchases;

CREATE TABLE codes_new (
    id           TEXT    NOT NULL PRIMARY KEY,               -- drawn, part of what is digested
    purpose      TEXT    NOT NULL                            -- what kind of thing it approves
                 CHECK (purpose IN ('float_purchase', 'disbursement', 'wallet_topup', 'link_phone',
                                    'prove_mail')),
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
INSERT INTO codes_new (id, purpose, operation, partner, person_id, amount_cents, currency, destination, phone, pepper_id,
    digest, status, attempts, sent, created_at, expires_at, ended_at)
SELECT id, purpose, operation, partner, person_id, amount_cents, currency, destination, phone, pepper_id,
    digest, status, attempts, sent, created_at, expires_at, ended_at FROM otp_validations;

DROP TABLE ncb_stk_push_logs;
DROP TABLE float_purchases;
DROP TABLE wallet_transactions;
DROP TABLE otp_validations;
ALTER TABLE operations_new RENAME TO wallet_transactions;
ALTER TABLE push_logs_new RENAME TO ncb_stk_push_logs;
ALTER TABLE purchases_new RENAME TO float_purchases;
ALTER TABLE codes_new RENAME TO otp_validations;

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

CREATE INDEX wallet_transactions_awaiting ON wallet_transactions (channel, address)
    WHERE state = 'AWAITING_APPROVAL';

CREATE INDEX float_purchases_by_day ON float_purchases (authorised_at)
    WHERE authorised_at IS NOT NULL;

-- The quote binds from the confirm on; before it only a fresh quote may change it.
CREATE TRIGGER float_purchases_keep_quote BEFORE UPDATE ON float_purchases
WHEN (NEW.transfer_fee_cents <> OLD.transfer_fee_cents
      OR NEW.processing_fee_cents <> OLD.processing_fee_cents
      OR NEW.short_code <> OLD.short_code)
 AND (SELECT state FROM wallet_transactions WHERE reference = OLD.reference)
     NOT IN ('QUOTED', 'AWAITING_APPROVAL')
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

CREATE TRIGGER otp_validations_wipe AFTER UPDATE OF status ON otp_validations
WHEN NEW.status <> 'pending'
BEGIN
    UPDATE outbox SET state = 'dead', text = '', error = 'the code has ended'
    WHERE otp = NEW.id AND state = 'queued';
END;

-- The ledger: corrections that two admins agreed on -----------------------------------------------

INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft)
SELECT w.partner, 'adjustment', w.currency, 'debit', 0
FROM partner_wallets AS w
WHERE true ON CONFLICT (partner, kind, currency) DO NOTHING;

-- People -------------------------------------------------------------------------------------------

ALTER TABLE people ADD COLUMN email_changed_at INTEGER;      -- when the address was last another
ALTER TABLE partner_wallets ADD COLUMN approve_above_cents INTEGER
    CHECK (approve_above_cents >= 0);                        -- float above it needs a second person; NULL: none does

-- A person with their partner, in the order in which the program reads them.
CREATE VIEW persons AS
SELECT p.id, p.name, p.role, p.phone, p.email, p.language, p.phone_changed_at, p.email_changed_at,
       r.code, r.suspended, w.currency, w.low_balance_cents, w.low_float_cents,
       w.approve_above_cents
FROM people AS p JOIN partners AS r ON r.code = p.partner
JOIN partner_wallets AS w ON w.partner = p.partner;

CREATE TABLE invites (
    id         TEXT    NOT NULL PRIMARY KEY,                 -- IN-7K3QF9: what traces name
    digest     TEXT    NOT NULL UNIQUE,                      -- SHA-256 of the link's token; the token is nowhere
    partner    TEXT    NOT NULL REFERENCES partners (code),  -- to which partner
    role       TEXT    NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')), -- as what
    name       TEXT    NOT NULL,                             -- who is meant, as the partner calls them
    invited_by TEXT    NOT NULL,                             -- admin or person, as the audit log names them
    created_at INTEGER NOT NULL,                             -- when it was made
    expires_at INTEGER NOT NULL,                             -- from this moment on it is expired
    status     TEXT    NOT NULL                              -- claimed: one account has opened it
               CHECK (status IN ('open', 'claimed', 'used', 'killed')),
    channel    TEXT,                                         -- where it was opened
    address    TEXT,                                         -- by which account
    phone      TEXT                                          -- number that account has shared
) STRICT, WITHOUT ROWID;
CREATE INDEX invites_by_age ON invites (created_at);

CREATE TABLE approvals (
    purchase   TEXT    NOT NULL PRIMARY KEY                  -- that waits for a second person
               REFERENCES wallet_transactions (reference),
    partner    TEXT    NOT NULL REFERENCES partners (code),  -- whose people may decide
    asked_by   INTEGER NOT NULL REFERENCES people (id),      -- who wants to buy
    asked_at   INTEGER NOT NULL,                             -- when they confirmed
    decision   TEXT                                          -- NULL: none yet
               CHECK (decision IN ('approved', 'declined', 'withdrawn', 'expired')),
    decided_by INTEGER REFERENCES people (id)                -- never who asked
               CHECK (decided_by <> asked_by),
    decided_at INTEGER,                                      -- when
    CHECK ((decision IN ('approved', 'declined')) = (decided_by IS NOT NULL) OR decision IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_open ON approvals (partner, asked_at) WHERE decision IS NULL;

-- Admins -------------------------------------------------------------------------------------------

CREATE TABLE audit_log (
    partner  TEXT    NOT NULL,                               -- whose chain; HOUSE: what has no partner
    n        INTEGER NOT NULL CHECK (n > 0),                 -- number in the chain, without gaps
    at       INTEGER NOT NULL,                               -- when the act was committed
    actor    TEXT    NOT NULL,                               -- admin:telegram:…, person:…, hazina
    act      TEXT    NOT NULL,                               -- what was done
    about    TEXT    NOT NULL,                               -- reference, person, invite or name it was done to
    facts    TEXT    NOT NULL,                               -- canonical JSON; no secret, phones masked
    previous TEXT    NOT NULL,                               -- hash of the row before; zeros for the first
    hash     TEXT    NOT NULL UNIQUE,                        -- SHA-256 over all of the above
    PRIMARY KEY (partner, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_log_by_time ON audit_log (at);
CREATE INDEX audit_log_about ON audit_log (about);

CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE proposals (
    id           TEXT    NOT NULL PRIMARY KEY,               -- PR-7K3QF9: what admins quote
    kind         TEXT    NOT NULL CHECK (kind IN ('resolve', 'adjust')), -- which use case it is
    partner      TEXT    NOT NULL REFERENCES partners (code), -- whose money
    about        TEXT    NOT NULL,                           -- operation that is resolved; for an adjustment, its own
    outcome      TEXT    NOT NULL                            -- what is to become of it
                 CHECK (outcome IN ('paid', 'failed', 'credit', 'debit')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),  -- how much it is about
    currency     TEXT    NOT NULL,                           -- ISO 4217
    reason       TEXT    NOT NULL,                           -- why, with the evidence, in the admin's words
    proposed_by  TEXT    NOT NULL,                           -- one admin
    proposed_at  INTEGER NOT NULL,                           -- when
    status       TEXT    NOT NULL                            -- only open ones can be decided, once
                 CHECK (status IN ('open', 'done', 'declined', 'overtaken')),
    decided_by   TEXT    CHECK (decided_by <> proposed_by OR status <> 'done'), -- another admin
    decided_at   INTEGER                                     -- when
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX proposals_one_open ON proposals (about) WHERE status = 'open';
CREATE INDEX proposals_by_time ON proposals (proposed_at);

CREATE TABLE broadcasts (
    id         TEXT    NOT NULL PRIMARY KEY,                 -- BC-7K3QF9
    text       TEXT    NOT NULL,                             -- as everybody reads it
    started_by TEXT    NOT NULL,                             -- which admin
    started_at INTEGER NOT NULL,                             -- when
    state      TEXT    NOT NULL CHECK (state IN ('RUNNING', 'STOPPED', 'DONE')), -- how far it is
    last_person INTEGER NOT NULL DEFAULT 0,                  -- people up to this id have been written to
    told       INTEGER NOT NULL DEFAULT 0,                   -- messages queued so far
    ended_at   INTEGER                                       -- when it was done or stopped
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX broadcasts_one ON broadcasts (state) WHERE state = 'RUNNING';

CREATE TABLE api_keys (
    id         TEXT    NOT NULL PRIMARY KEY,                 -- the readable prefix: hz_7K3QF9
    partner    TEXT    NOT NULL REFERENCES partners (code),  -- whose
    digest     TEXT    NOT NULL UNIQUE,                      -- SHA-256 of the whole key; the key is nowhere
    scopes     TEXT    NOT NULL,                             -- what it may, separated by blanks
    created_by TEXT    NOT NULL,                             -- which admin
    created_at INTEGER NOT NULL,                             -- when
    expires_at INTEGER NOT NULL,                             -- from this moment on it opens nothing
    used_at    INTEGER,                                      -- when it was last used
    revoked_at INTEGER                                       -- when an admin took it back
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_by_partner ON api_keys (partner, created_at);

-- Protection ---------------------------------------------------------------------------------------

CREATE TABLE secrets (
    name   TEXT    NOT NULL PRIMARY KEY,                     -- the setting it stands for
    sealed TEXT    NOT NULL,                                 -- by a key that is outside the database
    set_at INTEGER NOT NULL                                  -- when it was last set
) STRICT, WITHOUT ROWID;

-- A chart of the whole desk belongs to no partner.
DROP INDEX documents_requested;
DROP INDEX documents_by_age;
CREATE TABLE documents_new (
    reference  TEXT    NOT NULL PRIMARY KEY,                 -- ST-7K3QF9
    partner    TEXT    REFERENCES partners (code),           -- whose wallet it tells of; NULL: of all
    channel    TEXT    NOT NULL,                             -- where it was asked for, and is sent
    address    TEXT    NOT NULL,                             -- by which account
    language   TEXT    NOT NULL,                             -- in which its caption is worded
    format     TEXT    NOT NULL                              -- what is made
               CHECK (format IN ('pdf', 'csv', 'chart', 'activity')),
    first_day  TEXT    NOT NULL,                             -- first business day, ISO
    last_day   TEXT    NOT NULL,                             -- last business day, ISO
    state      TEXT    NOT NULL CHECK (state IN ('REQUESTED', 'MADE', 'FAILED')), -- how far it is
    attempts   INTEGER NOT NULL DEFAULT 0,                   -- how often it was begun
    created_at INTEGER NOT NULL,                             -- when it was asked for
    name       TEXT,                                         -- file name, once made
    content    BLOB,                                         -- the file, until it is sent or old
    CHECK ((partner IS NULL) = (format = 'activity'))
) STRICT;
INSERT INTO documents_new (reference, partner, channel, address, language, format, first_day,
    last_day, state, attempts, created_at, name, content)
SELECT reference, partner, channel, address, language, format, first_day, last_day, state, attempts,
    created_at, name, content FROM documents;
DROP TABLE documents;
ALTER TABLE documents_new RENAME TO documents;
CREATE INDEX documents_requested ON documents (created_at) WHERE state = 'REQUESTED';
CREATE INDEX documents_by_age ON documents (created_at);

CREATE TABLE daily (
    job TEXT NOT NULL PRIMARY KEY,                           -- what is done once a day
    day TEXT NOT NULL                                        -- business day it was last done for
) STRICT, WITHOUT ROWID;

CREATE TABLE floods (
    channel TEXT    NOT NULL,                                -- where the account writes
    address TEXT    NOT NULL,                                -- which account
    told_at INTEGER NOT NULL,                                -- when it was last asked to slow down
    until   INTEGER NOT NULL,                                -- from when on it is answered again
    PRIMARY KEY (channel, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX floods_by_time ON floods (told_at);

-- What admins look for, over all partners.
CREATE INDEX wallet_transactions_pending ON wallet_transactions (seq, state)
    WHERE state IN ('CREATED', 'SENDING', 'PENDING', 'SEND_UNKNOWN', 'UNKNOWN', 'AUTHORISED',
        'SUBMITTING');
CREATE INDEX wallet_transactions_by_last_four ON wallet_transactions (substr(phone, 9), seq)
    WHERE listed = 1;
CREATE INDEX wallet_transactions_by_receipt ON wallet_transactions (receipt)
    WHERE receipt IS NOT NULL;
CREATE INDEX float_purchases_by_bank_id ON float_purchases (bank_id) WHERE bank_id IS NOT NULL;
CREATE INDEX review_items_open ON review_items (opened_at) WHERE closed_at IS NULL;
