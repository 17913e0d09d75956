-- Money arrives by other roads than our prompts, and every day is closed against the bank.

-- A payment to the paybill may be a credit of its own, the bank may take one back, and a top-up
-- may be paid without a prompt. SQLite cannot change a CHECK, so the tables are laid anew.

DROP VIEW topups;
DROP VIEW purchases;

CREATE TABLE operations_new (
    seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- order in which they were begun
    reference       TEXT    NOT NULL UNIQUE,                 -- TU-7K3QF9, FL-…: what people quote
    partner         TEXT    NOT NULL REFERENCES partners (code), -- whose money
    person_id       INTEGER REFERENCES people (id),          -- who began it
    channel         TEXT    NOT NULL,                        -- where it was begun, and is answered
    address         TEXT    NOT NULL,                        -- the account it was begun from
    language        TEXT    NOT NULL,                        -- in which its outcome is told
    type            TEXT    NOT NULL -- kind of operation
                    CHECK (type IN ('topup', 'b2c_float_purchase', 'adjustment', 'paybill_payment',
                        'reversal')),
    way             TEXT    NOT NULL DEFAULT 'prompt'        -- how a top-up is to be paid
                    CHECK (way IN ('prompt', 'paybill', 'qr')),
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
           OR type IN ('adjustment', 'reversal') AND state = 'POSTED'
           OR type = 'paybill_payment' AND state = 'CREDITED'
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

CREATE TABLE approvals_new (
    purchase   TEXT    NOT NULL PRIMARY KEY                  -- that waits for a second person
               REFERENCES operations_new (reference),
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
INSERT INTO approvals_new (purchase, partner, asked_by, asked_at, decision, decided_by, decided_at)
SELECT purchase, partner, asked_by, asked_at, decision, decided_by, decided_at FROM approvals;

DROP TABLE ncb_stk_push_logs;
DROP TABLE float_purchases;
DROP TABLE approvals;
DROP TABLE wallet_transactions;
ALTER TABLE operations_new RENAME TO wallet_transactions;
ALTER TABLE push_logs_new RENAME TO ncb_stk_push_logs;
ALTER TABLE purchases_new RENAME TO float_purchases;
ALTER TABLE approvals_new RENAME TO approvals;

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
-- What admins look for, over all partners.
CREATE INDEX wallet_transactions_pending ON wallet_transactions (seq, state)
    WHERE state IN ('CREATED', 'SENDING', 'PENDING', 'SEND_UNKNOWN', 'UNKNOWN', 'AUTHORISED',
        'SUBMITTING');
CREATE INDEX wallet_transactions_by_last_four ON wallet_transactions (substr(phone, 9), seq)
    WHERE listed = 1;
-- One receipt pays for one operation.
CREATE UNIQUE INDEX wallet_transactions_by_receipt ON wallet_transactions (receipt)
    WHERE receipt IS NOT NULL;
-- What a payment that comes without our reference may have paid.
CREATE INDEX wallet_transactions_unreceipted ON wallet_transactions (amount_cents, created_at)
    WHERE type = 'topup' AND receipt IS NULL;

-- What was credited on the query's word, and must be on the statement.
CREATE INDEX wallet_transactions_unconfirmed ON wallet_transactions (settled_at)
    WHERE type = 'topup' AND receipt IS NULL AND state IN ('PAID', 'PAID_LATE');

CREATE INDEX float_purchases_by_day ON float_purchases (authorised_at)
    WHERE authorised_at IS NOT NULL;
CREATE INDEX float_purchases_by_bank_id ON float_purchases (bank_id) WHERE bank_id IS NOT NULL;
CREATE INDEX approvals_open ON approvals (partner, asked_at) WHERE decision IS NULL;

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

CREATE TRIGGER wallet_transactions_keep_receipt BEFORE UPDATE ON wallet_transactions
WHEN OLD.receipt IS NOT NULL AND NEW.receipt IS NULL
BEGIN SELECT RAISE(ABORT, 'a receipt is never lost'); END;

-- An operation with its push, and with its purchase, in the order in which the program reads them.
CREATE VIEW topups AS
SELECT w.reference, w.partner, w.person_id, w.channel, w.address, w.language,
       w.amount_cents, w.currency, w.phone, w.state, w.reason, w.created_at, p.sent_at,
       w.settled_at, p.bank_id, w.receipt, w.attempt, w.due_at, w.slow, w.way, w.seq
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

-- The ledger: what belongs to no partner yet, and what a partner owes us ---------------------------

INSERT INTO partners (code, suspended, created_at) VALUES ('HOUSE', 0, 0)
ON CONFLICT (code) DO NOTHING;

INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft) VALUES
    ('HOUSE', 'collection', 'KES', 'debit', 0),
    ('HOUSE', 'suspense', 'KES', 'credit', 1)
ON CONFLICT (partner, kind, currency) DO NOTHING;

INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft)
SELECT w.partner, 'receivable', w.currency, 'debit', 0
FROM partner_wallets AS w
WHERE true ON CONFLICT (partner, kind, currency) DO NOTHING;

-- Payments -----------------------------------------------------------------------------------------

CREATE TABLE external_payments (
    receipt           TEXT    NOT NULL PRIMARY KEY,          -- M-PESA's code of it
    reference         TEXT    NOT NULL UNIQUE,               -- PB-7K3QF9: ours for it
    amount_cents      INTEGER NOT NULL CHECK (amount_cents > 0), -- how much arrived
    currency          TEXT    NOT NULL,                      -- ISO 4217
    paid_at           INTEGER NOT NULL,                      -- when M-PESA took it
    account_reference TEXT    NOT NULL,                      -- what the payer paid for, as it came
    payer             TEXT    NOT NULL,                      -- 2547…, 64 hex digits of a SHA-256, or nothing
    source            TEXT    NOT NULL,                      -- who told of it first: ncba.notification, …
    received_at       INTEGER NOT NULL,                      -- when that was committed
    state             TEXT    NOT NULL                       -- what it turned out to be
                      CHECK (state IN ('MATCHED', 'CREDITED', 'SUSPENDED', 'RELEASED', 'REVERSED')),
    why               TEXT,                                  -- why it is, or was, in suspense
    inferred          INTEGER NOT NULL DEFAULT 0 CHECK (inferred IN (0, 1)), -- 1: matched by payer and time, not by name
    partner           TEXT    REFERENCES partners (code),    -- whose it is; NULL: not known
    operation         TEXT    REFERENCES wallet_transactions (reference), -- what it paid; NULL: nothing yet
    CHECK ((partner IS NULL) = (operation IS NULL)),
    CHECK ((state = 'SUSPENDED') <= (operation IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX external_payments_operation ON external_payments (operation)
    WHERE operation IS NOT NULL;
CREATE INDEX external_payments_suspended ON external_payments (amount_cents, paid_at)
    WHERE state = 'SUSPENDED';
CREATE INDEX external_payments_by_time ON external_payments (paid_at);
CREATE INDEX external_payments_inferred ON external_payments (amount_cents, paid_at)
    WHERE inferred = 1;

CREATE TRIGGER external_payments_keep BEFORE UPDATE ON external_payments
WHEN NEW.amount_cents <> OLD.amount_cents OR NEW.currency <> OLD.currency
     OR NEW.paid_at <> OLD.paid_at OR NEW.reference <> OLD.reference
     OR OLD.operation IS NOT NULL AND OLD.inferred = 0 AND NEW.operation IS NOT OLD.operation
BEGIN SELECT RAISE(ABORT, 'what was paid is never edited'); END;
CREATE TRIGGER external_payments_no_delete BEFORE DELETE ON external_payments
BEGIN SELECT RAISE(ABORT, 'a payment is never forgotten'); END;

CREATE TABLE payment_notices (
    id          TEXT    NOT NULL PRIMARY KEY,                -- NT-7K3QF9: what admins quote
    digest      TEXT    NOT NULL UNIQUE,                     -- SHA-256 of the body as it came
    verdict     TEXT    NOT NULL,                            -- taken, or why it was not
    receipt     TEXT,                                        -- the receipt it names, if it can be read
    body        TEXT    NOT NULL,                            -- its fields as JSON, without credentials
    received_at INTEGER NOT NULL,                            -- when it first came
    times       INTEGER NOT NULL DEFAULT 1                   -- how often it has come
) STRICT, WITHOUT ROWID;
CREATE INDEX payment_notices_refused ON payment_notices (received_at) WHERE verdict <> 'taken';
CREATE INDEX payment_notices_by_receipt ON payment_notices (receipt) WHERE receipt IS NOT NULL;

-- Admins: what they may decide of it ---------------------------------------------------------------

CREATE TABLE proposals_new (
    id           TEXT    NOT NULL PRIMARY KEY,               -- PR-7K3QF9: what admins quote
    kind         TEXT    NOT NULL                            -- which use case it is
                 CHECK (kind IN ('resolve', 'adjust', 'assign', 'dismiss')),
    partner      TEXT    NOT NULL REFERENCES partners (code), -- whose money; HOUSE: nobody's
    about        TEXT    NOT NULL,                           -- operation, payment or finding that is resolved; for an adjustment, its own
    outcome      TEXT    NOT NULL                            -- what is to become of it
                 CHECK (outcome IN ('paid', 'failed', 'credit', 'debit', 'assigned', 'dismissed')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents >= 0), -- how much it is about; 0: not known
    currency     TEXT    NOT NULL,                           -- ISO 4217
    reason       TEXT    NOT NULL,                           -- why, with the evidence, in the admin's words
    proposed_by  TEXT    NOT NULL,                           -- one admin
    proposed_at  INTEGER NOT NULL,                           -- when
    status       TEXT    NOT NULL                            -- only open ones can be decided, once
                 CHECK (status IN ('open', 'done', 'declined', 'overtaken')),
    decided_by   TEXT    CHECK (decided_by <> proposed_by OR status <> 'done'), -- another admin
    decided_at   INTEGER,                                    -- when
    CHECK (amount_cents > 0 OR kind = 'dismiss')
) STRICT, WITHOUT ROWID;
INSERT INTO proposals_new (id, kind, partner, about, outcome, amount_cents, currency, reason,
    proposed_by, proposed_at, status, decided_by, decided_at)
SELECT id, kind, partner, about, outcome, amount_cents, currency, reason, proposed_by, proposed_at,
    status, decided_by, decided_at FROM proposals;
DROP TABLE proposals;
ALTER TABLE proposals_new RENAME TO proposals;
CREATE UNIQUE INDEX proposals_one_open ON proposals (about) WHERE status = 'open';
CREATE INDEX proposals_by_time ON proposals (proposed_at);

-- Pictures to pay by are documents too.
DROP INDEX documents_requested;
DROP INDEX documents_by_age;
CREATE TABLE documents_new (
    reference  TEXT    NOT NULL PRIMARY KEY,                 -- ST-7K3QF9
    partner    TEXT    REFERENCES partners (code),           -- whose wallet it tells of; NULL: of all
    channel    TEXT    NOT NULL,                             -- where it was asked for, and is sent
    address    TEXT    NOT NULL,                             -- by which account
    language   TEXT    NOT NULL,                             -- in which its caption is worded
    format     TEXT    NOT NULL                              -- what is made
               CHECK (format IN ('pdf', 'csv', 'chart', 'activity', 'qr')),
    first_day  TEXT    NOT NULL,                             -- first business day, ISO
    last_day   TEXT    NOT NULL,                             -- last business day, ISO
    topup      TEXT    REFERENCES wallet_transactions (reference), -- that a QR picture pays
    state      TEXT    NOT NULL CHECK (state IN ('REQUESTED', 'MADE', 'FAILED')), -- how far it is
    attempts   INTEGER NOT NULL DEFAULT 0,                   -- how often it was begun
    created_at INTEGER NOT NULL,                             -- when it was asked for
    name       TEXT,                                         -- file name, once made
    content    BLOB,                                         -- the file, until it is sent or old
    CHECK ((partner IS NULL) = (format = 'activity')),
    CHECK ((topup IS NULL) = (format <> 'qr'))
) STRICT;
INSERT INTO documents_new (reference, partner, channel, address, language, format, first_day,
    last_day, state, attempts, created_at, name, content)
SELECT reference, partner, channel, address, language, format, first_day, last_day, state, attempts,
    created_at, name, content FROM documents;
DROP TABLE documents;
ALTER TABLE documents_new RENAME TO documents;
CREATE INDEX documents_requested ON documents (created_at) WHERE state = 'REQUESTED';
CREATE INDEX documents_by_age ON documents (created_at);

-- Reconciliation: the bank's statement against our books, line by line ------------------------------

CREATE TABLE statement_lines (
    key          TEXT    NOT NULL PRIMARY KEY,               -- SHA-256 of what the line says, and which copy of it
    day          TEXT    NOT NULL,                           -- value date, ISO
    direction    TEXT    NOT NULL CHECK (direction IN ('credit', 'debit')), -- as the bank sees it
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),  -- how much
    currency     TEXT    NOT NULL,                           -- ISO 4217
    words        TEXT    NOT NULL,                           -- its texts, JSON
    source       TEXT    NOT NULL,                           -- where the statement came from: ncba, file
    matched      TEXT,                                       -- payment, top-up, purchase or reversal of ours; NULL: none
    seen_at      INTEGER NOT NULL                            -- when it was first read
) STRICT, WITHOUT ROWID;
CREATE INDEX statement_lines_by_day ON statement_lines (day);
CREATE UNIQUE INDEX statement_lines_matched ON statement_lines (matched) WHERE matched IS NOT NULL;

CREATE TABLE findings (
    id           TEXT    NOT NULL PRIMARY KEY,               -- RC-7K3QF9: what admins quote
    key          TEXT    NOT NULL UNIQUE,                    -- day, kind and what it is about: found once
    day          TEXT    NOT NULL,                           -- business day that it keeps open, ISO
    kind         TEXT    NOT NULL,                           -- not_on_statement, amount_differs, …
    about        TEXT    NOT NULL,                           -- our reference; empty: nothing of ours
    partner      TEXT    REFERENCES partners (code),         -- whose; NULL: not known
    amount_cents INTEGER NOT NULL,                           -- how much it is about
    currency     TEXT    NOT NULL,                           -- ISO 4217
    said         TEXT    NOT NULL,                           -- the line's texts, or what is missing
    found_at     INTEGER NOT NULL                            -- when it was first found
) STRICT, WITHOUT ROWID;
CREATE INDEX findings_by_day ON findings (day);

CREATE TABLE reconciliations (
    day           TEXT    NOT NULL PRIMARY KEY,              -- business day, ISO
    source        TEXT    NOT NULL,                          -- where the latest statement came from
    lines         INTEGER NOT NULL,                          -- of that day, over all statements
    matched       INTEGER NOT NULL,                          -- lines that are ours
    credits_cents INTEGER NOT NULL,                          -- what the bank received
    debits_cents  INTEGER NOT NULL,                          -- what the bank paid out
    ran_at        INTEGER NOT NULL,                          -- when it was last looked at
    closed_at     INTEGER                                    -- when nothing was left; NULL: open
) STRICT, WITHOUT ROWID;
