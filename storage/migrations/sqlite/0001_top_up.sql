-- Everything that topping up a wallet needs. Amounts are integer minor units; times are UTC,
-- integer milliseconds since 1970; text ids are case-sensitive.

CREATE TABLE partners (
    code        TEXT    NOT NULL PRIMARY KEY,                -- short upper-case code, HOUSE is ours
    suspended   INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1)), -- 1: may look, not move
    created_at  INTEGER NOT NULL                             -- when the partner was added
) STRICT, WITHOUT ROWID;

CREATE TABLE partner_wallets (
    partner             TEXT    NOT NULL PRIMARY KEY REFERENCES partners (code), -- whose settings
    currency            TEXT    NOT NULL,                    -- ISO 4217
    low_balance_cents   INTEGER NOT NULL DEFAULT 0 CHECK (low_balance_cents >= 0) -- 0: no mark
) STRICT, WITHOUT ROWID;

CREATE TABLE people (
    id          INTEGER NOT NULL PRIMARY KEY,                -- our own number
    partner     TEXT    NOT NULL REFERENCES partners (code), -- the one partner they act for
    name        TEXT    NOT NULL,                            -- as the partner calls them
    role        TEXT    NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')), -- what they may do
    phone       TEXT    NOT NULL,                            -- registered M-PESA number, 2547…/2541…
    email       TEXT,                                        -- proved mail address, if any
    language    TEXT    NOT NULL DEFAULT 'en',               -- ISO 639-1, of everything they read
    created_at  INTEGER NOT NULL,                            -- when they were added
    UNIQUE (partner, name)
) STRICT;

CREATE TABLE addresses (
    channel     TEXT    NOT NULL,                            -- telegram, terminal, …
    address     TEXT    NOT NULL,                            -- the channel's id of the account
    person_id   INTEGER NOT NULL REFERENCES people (id),     -- whose it is
    linked_at   INTEGER NOT NULL,                            -- when it was linked
    PRIMARY KEY (channel, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE limits (
    name         TEXT    NOT NULL,                           -- c2b.min, c2b.max, …
    valid_from   INTEGER NOT NULL,                           -- in force from here to the next row
    amount_cents INTEGER NOT NULL CHECK (amount_cents >= 0), -- the limit
    currency     TEXT    NOT NULL,                           -- ISO 4217
    source       TEXT    NOT NULL,                           -- who set it
    PRIMARY KEY (name, valid_from)
) STRICT, WITHOUT ROWID;

INSERT INTO limits (name, valid_from, amount_cents, currency, source) VALUES
    ('c2b.min', 1692046800000, 100, 'KES', 'M-PESA C2B, 15 August 2023'),
    ('c2b.max', 1692046800000, 25000000, 'KES', 'M-PESA C2B, 15 August 2023');

-- The ledger --------------------------------------------------------------------------------

CREATE TABLE accounts (
    partner         TEXT    NOT NULL REFERENCES partners (code), -- whose
    kind            TEXT    NOT NULL,                        -- wallet, float, collection, …
    currency        TEXT    NOT NULL,                        -- ISO 4217
    normal_side     TEXT    NOT NULL CHECK (normal_side IN ('debit', 'credit')), -- which side grows it
    no_overdraft    INTEGER NOT NULL CHECK (no_overdraft IN (0, 1)), -- 1: may never be overspent
    debits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),  -- held on the debit side
    debits_posted   INTEGER NOT NULL DEFAULT 0 CHECK (debits_posted >= 0),   -- sum of debits
    credits_pending INTEGER NOT NULL DEFAULT 0 CHECK (credits_pending >= 0), -- held on the credit side
    credits_posted  INTEGER NOT NULL DEFAULT 0 CHECK (credits_posted >= 0),  -- sum of credits
    last_transfer   INTEGER NOT NULL DEFAULT 0,              -- seq of the transfer that moved it last
    PRIMARY KEY (partner, kind, currency),
    CHECK (no_overdraft = 0
           OR normal_side = 'credit' AND credits_posted - debits_posted - debits_pending >= 0
           OR normal_side = 'debit' AND debits_posted - credits_posted - credits_pending >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE transfers (
    seq            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- order of booking
    id             TEXT    NOT NULL UNIQUE,                  -- deterministic: operation and leg
    operation      TEXT    NOT NULL,                         -- reference of what it belongs to
    phase          TEXT    NOT NULL                          -- counts at once, holds, or resolves
                   CHECK (phase IN ('single', 'pending', 'post', 'void')),
    debit_partner  TEXT    NOT NULL,                         -- owner of the debited account
    debit_kind     TEXT    NOT NULL,                         -- kind of the debited account
    credit_partner TEXT    NOT NULL,                         -- owner of the credited account
    credit_kind    TEXT    NOT NULL,                         -- kind of the credited account
    currency       TEXT    NOT NULL,                         -- of both accounts
    amount_cents   INTEGER NOT NULL CHECK (amount_cents > 0), -- what moves
    code           TEXT    NOT NULL,                         -- why: topup, opening, …
    pending_id     TEXT    UNIQUE REFERENCES transfers (id), -- what a post or void resolves, once
    booked_at      INTEGER NOT NULL,                         -- when
    CHECK ((pending_id IS NULL) = (phase IN ('single', 'pending'))),
    CHECK (debit_partner <> credit_partner OR debit_kind <> credit_kind),
    FOREIGN KEY (debit_partner, debit_kind, currency) REFERENCES accounts (partner, kind, currency),
    FOREIGN KEY (credit_partner, credit_kind, currency) REFERENCES accounts (partner, kind, currency)
) STRICT;
CREATE INDEX transfers_by_operation ON transfers (operation);

CREATE TRIGGER transfers_resolve BEFORE INSERT ON transfers WHEN NEW.pending_id IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a post or void must match the pending transfer it resolves')
    WHERE NOT EXISTS (
        SELECT 1 FROM transfers AS held
        WHERE held.id = NEW.pending_id AND held.phase = 'pending'
          AND held.operation = NEW.operation AND held.amount_cents = NEW.amount_cents
          AND held.currency = NEW.currency
          AND held.debit_partner = NEW.debit_partner AND held.debit_kind = NEW.debit_kind
          AND held.credit_partner = NEW.credit_partner AND held.credit_kind = NEW.credit_kind);
END;

CREATE TRIGGER transfers_move AFTER INSERT ON transfers
BEGIN
    UPDATE accounts SET
        debits_pending = debits_pending + CASE NEW.phase
            WHEN 'pending' THEN NEW.amount_cents WHEN 'single' THEN 0 ELSE -NEW.amount_cents END,
        debits_posted = debits_posted + CASE
            WHEN NEW.phase IN ('single', 'post') THEN NEW.amount_cents ELSE 0 END,
        last_transfer = NEW.seq
    WHERE partner = NEW.debit_partner AND kind = NEW.debit_kind AND currency = NEW.currency;
    UPDATE accounts SET
        credits_pending = credits_pending + CASE NEW.phase
            WHEN 'pending' THEN NEW.amount_cents WHEN 'single' THEN 0 ELSE -NEW.amount_cents END,
        credits_posted = credits_posted + CASE
            WHEN NEW.phase IN ('single', 'post') THEN NEW.amount_cents ELSE 0 END,
        last_transfer = NEW.seq
    WHERE partner = NEW.credit_partner AND kind = NEW.credit_kind AND currency = NEW.currency;
END;

CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'a transfer is never edited'); END;

CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers
BEGIN SELECT RAISE(ABORT, 'a transfer is never deleted'); END;

CREATE TRIGGER accounts_start_empty BEFORE INSERT ON accounts
WHEN NEW.debits_pending + NEW.debits_posted + NEW.credits_pending + NEW.credits_posted
     + NEW.last_transfer <> 0
BEGIN SELECT RAISE(ABORT, 'an account starts empty'); END;

-- Every transfer moves its accounts the moment it is booked, so no direct update can name a
-- newer one: balances change by transfers only.
CREATE TRIGGER accounts_move_by_transfer BEFORE UPDATE ON accounts
WHEN NEW.last_transfer <= OLD.last_transfer OR NOT EXISTS (
    SELECT 1 FROM transfers AS t WHERE t.seq = NEW.last_transfer AND t.currency = OLD.currency
      AND (t.debit_partner = OLD.partner AND t.debit_kind = OLD.kind
           OR t.credit_partner = OLD.partner AND t.credit_kind = OLD.kind))
BEGIN SELECT RAISE(ABORT, 'a balance is only the sum of transfers'); END;

CREATE TRIGGER accounts_keep_identity BEFORE UPDATE ON accounts
WHEN NEW.partner <> OLD.partner OR NEW.kind <> OLD.kind OR NEW.currency <> OLD.currency
     OR NEW.normal_side <> OLD.normal_side OR NEW.no_overdraft <> OLD.no_overdraft
BEGIN SELECT RAISE(ABORT, 'an account keeps its identity'); END;

CREATE TRIGGER accounts_no_delete BEFORE DELETE ON accounts
BEGIN SELECT RAISE(ABORT, 'an account is never deleted'); END;

-- Operations --------------------------------------------------------------------------------

CREATE TABLE wallet_transactions (
    seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- order in which they were begun
    reference       TEXT    NOT NULL UNIQUE,                 -- TU-7K3QF9: what people quote
    partner         TEXT    NOT NULL REFERENCES partners (code), -- whose money
    person_id       INTEGER REFERENCES people (id),          -- who began it
    channel         TEXT    NOT NULL,                        -- where it was begun, and is answered
    address         TEXT    NOT NULL,                        -- the account it was begun from
    language        TEXT    NOT NULL,                        -- in which its outcome is told
    type            TEXT    NOT NULL CHECK (type IN ('topup')), -- kind of operation
    state           TEXT    NOT NULL                         -- how far it is
                    CHECK (state IN ('CREATED', 'SENDING', 'PENDING', 'PAID',
                        'NOT_PAID', 'REJECTED', 'SEND_UNKNOWN', 'UNKNOWN', 'PAID_LATE')),
    reason          TEXT,                                    -- why not paid or rejected
    amount_cents    INTEGER NOT NULL CHECK (amount_cents > 0), -- what was asked for
    currency        TEXT    NOT NULL,                        -- ISO 4217
    phone           TEXT    NOT NULL,                        -- the payer's number
    receipt         TEXT,                                    -- M-PESA's code, once known
    idempotency_key TEXT    NOT NULL UNIQUE,                 -- the event that asked for it
    created_at      INTEGER NOT NULL,                        -- when it was committed
    settled_at      INTEGER,                                 -- when it reached its latest outcome
    attempt         INTEGER NOT NULL DEFAULT 0,              -- fencing number, grows per claim
    due_at          INTEGER,                                 -- when work on it, or its lease, is due
    claimed         INTEGER NOT NULL DEFAULT 0 CHECK (claimed IN (0, 1)), -- 1: due_at ends a lease
    slow            INTEGER NOT NULL DEFAULT 0 CHECK (slow IN (0, 1)) -- 1: told that it is slow
) STRICT;
CREATE INDEX wallet_transactions_by_partner ON wallet_transactions (partner, seq);
CREATE INDEX wallet_transactions_by_person ON wallet_transactions (person_id, seq)
    WHERE state IN ('PAID', 'PAID_LATE');
CREATE INDEX wallet_transactions_due ON wallet_transactions (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX wallet_transactions_unsent ON wallet_transactions (due_at)
    WHERE state IN ('CREATED', 'SENDING');
CREATE INDEX wallet_transactions_open ON wallet_transactions (partner, phone, amount_cents)
    WHERE state IN ('CREATED', 'SENDING', 'PENDING', 'SEND_UNKNOWN');

CREATE TABLE ncb_stk_push_logs (
    reference         TEXT    NOT NULL PRIMARY KEY           -- of the top-up it was sent for
                      REFERENCES wallet_transactions (reference),
    account_reference TEXT    NOT NULL,                      -- what stands behind AccountNo's account
    bank_id           TEXT    UNIQUE,                        -- NCBA's TransactionID
    status            TEXT    NOT NULL,                      -- created, sending, accepted, …
    description       TEXT,                                  -- NCBA's last words, cut to 200
    sent_at           INTEGER,                               -- when the request was committed to go
    answered_at       INTEGER,                               -- when initiate was answered
    last_asked_at     INTEGER,                               -- when the query was last answered
    polls             INTEGER NOT NULL DEFAULT 0             -- how often it was asked about
) STRICT, WITHOUT ROWID;

-- An operation with its push, in the order in which the program reads a top-up.
CREATE VIEW topups AS
SELECT w.reference, w.partner, w.person_id, w.channel, w.address, w.language,
       w.amount_cents, w.currency, w.phone, w.state, w.reason, w.created_at, p.sent_at,
       w.settled_at, p.bank_id, w.receipt, w.attempt, w.due_at, w.slow, w.seq
FROM wallet_transactions AS w JOIN ncb_stk_push_logs AS p ON p.reference = w.reference
WHERE w.type = 'topup';

CREATE VIEW b2c_float_balance AS
SELECT a.partner, a.currency,
       a.credits_posted - a.debits_posted AS current_cents,  -- float now
       a.credits_posted AS purchased_cents,                  -- bought in all
       a.debits_posted AS used_cents,                        -- paid out in all
       (SELECT max(t.booked_at) FROM transfers AS t
        WHERE t.credit_partner = a.partner AND t.credit_kind = 'float'
          AND t.currency = a.currency AND t.phase IN ('single', 'post')) AS last_purchase_at
FROM accounts AS a WHERE a.kind = 'float';

CREATE TABLE evidence (
    id        INTEGER NOT NULL PRIMARY KEY,                  -- order of arrival
    operation TEXT    NOT NULL,                              -- reference it speaks of
    kind      TEXT    NOT NULL,                              -- paid, not_paid, accepted, rejected, …
    source    TEXT    NOT NULL,                              -- ncba.initiate, ncba.query, …
    said      TEXT    NOT NULL,                              -- the source's own words, cut to 200
    at        INTEGER NOT NULL                               -- when it was committed
) STRICT;
CREATE INDEX evidence_by_operation ON evidence (operation);

CREATE TABLE provider_calls (
    id           INTEGER NOT NULL PRIMARY KEY,               -- order
    operation    TEXT    NOT NULL,                           -- reference it was made for
    call         TEXT    NOT NULL,                           -- token, initiate, query
    attempt      INTEGER NOT NULL,                           -- fencing number it was made under
    outcome      TEXT    NOT NULL,                           -- accepted, rejected, unknown, …
    said         TEXT    NOT NULL,                           -- what came back, cut to 200
    milliseconds INTEGER NOT NULL,                           -- how long it took
    at           INTEGER NOT NULL                            -- when its answer was committed
) STRICT;
CREATE INDEX provider_calls_by_operation ON provider_calls (operation);
-- One money call per intent, ever: a second one that could have left the machine is refused.
CREATE UNIQUE INDEX provider_calls_one_money_call ON provider_calls (operation)
    WHERE call = 'initiate' AND outcome <> 'not_sent';

CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence
BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END;
CREATE TRIGGER evidence_no_delete BEFORE DELETE ON evidence
BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END;
CREATE TRIGGER provider_calls_no_update BEFORE UPDATE ON provider_calls
BEGIN SELECT RAISE(ABORT, 'provider calls are append-only'); END;
CREATE TRIGGER provider_calls_no_delete BEFORE DELETE ON provider_calls
BEGIN SELECT RAISE(ABORT, 'provider calls are append-only'); END;

CREATE TABLE review_items (
    operation TEXT    NOT NULL,                              -- reference a person must look at
    why       TEXT    NOT NULL,                              -- unknown, send_unknown, …
    opened_at INTEGER NOT NULL,                              -- when it was found
    closed_at INTEGER,                                       -- when evidence or admins settled it
    PRIMARY KEY (operation, why)
) STRICT, WITHOUT ROWID;

-- Conversations -----------------------------------------------------------------------------

CREATE TABLE events (
    channel    TEXT    NOT NULL,                             -- where it came in
    event_id   TEXT    NOT NULL,                             -- the channel's id of it
    decided_at INTEGER NOT NULL,                             -- when its turn was committed
    fault      TEXT,                                         -- our fault's reference, if it raised
    PRIMARY KEY (channel, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_age ON events (decided_at);

CREATE TABLE sessions (
    channel    TEXT    NOT NULL,                             -- where the conversation is held
    address    TEXT    NOT NULL,                             -- with which account
    turn       INTEGER NOT NULL,                             -- grows with every screen with options
    flow       TEXT,                                         -- the open flow; NULL: main menu
    node       TEXT,                                         -- where in it
    body       TEXT    NOT NULL,                             -- the engine's own JSON
    expires_at INTEGER,                                      -- closed when idle so long; NULL: never
    updated_at INTEGER NOT NULL,                             -- last turn
    PRIMARY KEY (channel, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE slots (
    channel    TEXT    NOT NULL,                             -- where the live message is
    address    TEXT    NOT NULL,                             -- in which chat
    slot       TEXT    NOT NULL,                             -- topup:TU-7K3QF9, balance, …
    message_id TEXT    NOT NULL,                             -- the channel's id of the message
    updated_at INTEGER NOT NULL,                             -- when it was last taken over
    PRIMARY KEY (channel, address, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX slots_by_age ON slots (updated_at);

CREATE TABLE outbox (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,   -- order of sending within a chat
    channel    TEXT    NOT NULL,                             -- telegram, terminal, sms
    address    TEXT    NOT NULL,                             -- chat, or phone for SMS
    event_id   TEXT,                                         -- the event it answers; NULL: by itself
    n          INTEGER NOT NULL DEFAULT 0,                   -- number among that event's answers
    kind       TEXT    NOT NULL                              -- to a turn, or by itself
               CHECK (kind IN ('answer', 'progress', 'receipt')),
    slot       TEXT,                                         -- live message it belongs to
    edits      INTEGER NOT NULL CHECK (edits IN (0, 1)),     -- 1: replace the slot's message
    text       TEXT    NOT NULL,                             -- as the person reads it
    rows       TEXT    NOT NULL,                             -- JSON: rows of [option id, label]
    turn       INTEGER NOT NULL,                             -- the turn its buttons carry
    fallback   TEXT,                                         -- phone to text when the chat is shut
    protect    INTEGER NOT NULL CHECK (protect IN (0, 1)),   -- 1: may not be forwarded
    state      TEXT    NOT NULL                              -- dead: it will never arrive
               CHECK (state IN ('queued', 'sent', 'dead')),
    attempts   INTEGER NOT NULL DEFAULT 0,                   -- sends tried
    due_at     INTEGER NOT NULL,                             -- not before
    created_at INTEGER NOT NULL,                             -- when its turn was committed
    error      TEXT,                                         -- why it is dead, or was last refused
    UNIQUE (channel, event_id, n)
) STRICT;
CREATE INDEX outbox_queued ON outbox (id) WHERE state = 'queued';
CREATE INDEX outbox_by_age ON outbox (created_at) WHERE state <> 'queued';

CREATE TABLE trail (
    id        INTEGER NOT NULL PRIMARY KEY,                  -- order
    at        INTEGER NOT NULL,                              -- the turn's moment
    channel   TEXT    NOT NULL,                              -- where
    address   TEXT    NOT NULL,                              -- which account
    person_id INTEGER,                                       -- who, if known
    input     TEXT    NOT NULL,                              -- kind of input and option, never text
    before    TEXT,                                          -- flow.node before
    outcome   TEXT    NOT NULL,                              -- exit taken, refusal, stale, …
    after     TEXT,                                          -- flow.node after
    operation TEXT                                           -- reference it began or touched
) STRICT;
CREATE INDEX trail_by_age ON trail (at);
