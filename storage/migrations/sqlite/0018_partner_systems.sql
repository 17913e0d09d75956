-- What partners' own systems see of their operations: a version of each, an event per version, and
-- the answers that were given to their calls.

-- The name that partners' systems read for a state.
ALTER TABLE operation_states ADD COLUMN status TEXT NOT NULL DEFAULT ''; -- pending, paid, …; empty: nobody sees it
-- A top-up begun by a partner's system exists while its code is waited for.
INSERT INTO operation_states (kind, state, standing) VALUES
    ('topup', 'OTP_SENT', 'waiting'),
    ('topup', 'OTP_EXPIRED', 'ended'),
    ('topup', 'OTP_LOCKED', 'ended'),
    ('topup', 'CANCELLED', 'ended');
UPDATE operation_states SET status = CASE state
    WHEN 'AWAITING_APPROVAL' THEN 'awaiting_approval'
    WHEN 'OTP_SENT' THEN 'awaiting_code'
    WHEN 'OTP_EXPIRED' THEN 'expired'
    WHEN 'OTP_LOCKED' THEN 'locked'
    WHEN 'CANCELLED' THEN 'cancelled'
    WHEN 'CREATED' THEN 'pending'
    WHEN 'SENDING' THEN 'pending'
    WHEN 'PENDING' THEN 'pending'
    WHEN 'AUTHORISED' THEN 'pending'
    WHEN 'SUBMITTING' THEN 'pending'
    WHEN 'SEND_UNKNOWN' THEN 'unknown'
    WHEN 'UNKNOWN' THEN 'unknown'
    WHEN 'PAID' THEN 'paid'
    WHEN 'PAID_LATE' THEN 'paid'
    WHEN 'NOT_PAID' THEN 'not_paid'
    WHEN 'REJECTED' THEN 'rejected'
    WHEN 'SUCCEEDED' THEN 'succeeded'
    WHEN 'FAILED' THEN 'failed'
    WHEN 'REFUSED' THEN 'refused'
    WHEN 'POSTED' THEN 'succeeded'
    WHEN 'CREDITED' THEN 'succeeded'
    ELSE '' END;

ALTER TABLE wallet_transactions ADD COLUMN version INTEGER NOT NULL DEFAULT 1
    CHECK (version > 0);                                     -- grows with every change that its partner can see
ALTER TABLE wallet_transactions ADD COLUMN changed_at INTEGER; -- when it got its version; NULL: before versions
ALTER TABLE wallet_transactions ADD COLUMN public_created_at INTEGER; -- when it was begun, as its partner reads it: not moved with the clock; NULL: before versions
ALTER TABLE wallet_transactions ADD COLUMN description TEXT; -- the words of the partner's system, given back

CREATE INDEX wallet_transactions_public ON wallet_transactions (partner, seq)
    WHERE listed = 1 OR type = 'adjustment';
-- A code that was sent is no prompt: only what may reach the phone counts against it.
DROP INDEX wallet_transactions_prompts;
CREATE INDEX wallet_transactions_prompts ON wallet_transactions (phone, created_at)
    WHERE type = 'topup' AND way = 'prompt'
      AND state NOT IN ('OTP_SENT', 'OTP_EXPIRED', 'OTP_LOCKED', 'CANCELLED');

-- An operation as its partner's systems see it. The money is what has moved the wallet so far.
CREATE VIEW public_operations AS
SELECT w.seq, w.reference, w.partner, w.type,
       CASE WHEN w.state = 'AWAITING_APPROVAL' AND EXISTS (SELECT 1 FROM approvals AS a
                 WHERE a.purchase = w.reference AND a.decision = 'approved')
            THEN 'awaiting_code' ELSE s.status END AS status, w.reason,
       CASE WHEN s.standing IN ('succeeded', 'ended')
                 AND (w.state <> 'NOT_PAID' OR w.due_at IS NULL) THEN 1 ELSE 0 END AS final,
       w.version, w.amount_cents, w.currency, f.transfer_fee_cents, f.processing_fee_cents,
       (SELECT coalesce(sum(CASE
            WHEN t.credit_partner = w.partner AND t.credit_kind = 'wallet' THEN t.amount_cents
            WHEN t.debit_partner = w.partner AND t.debit_kind = 'wallet' THEN -t.amount_cents
            ELSE 0 END), 0)
        FROM transfers AS t
        WHERE t.operation = w.reference AND t.phase IN ('single', 'post')) AS wallet_change_cents,
       w.phone, w.receipt, w.description, coalesce(w.public_created_at, w.created_at) AS created_at,
       coalesce(w.changed_at, w.settled_at, w.created_at) AS changed_at
FROM wallet_transactions AS w
JOIN operation_states AS s ON s.kind = w.type AND s.state = w.state
LEFT JOIN float_purchases AS f ON f.reference = w.reference
WHERE w.listed = 1 OR w.type = 'adjustment';

-- The number of a partner's newest event. Whoever adds one updates this row first, which others
-- wait for, so that numbers have the order of the commits.
CREATE TABLE partner_event_heads (
    partner TEXT    NOT NULL PRIMARY KEY REFERENCES partners (code), -- whose feed
    n       INTEGER NOT NULL                                 -- number of its newest event
) STRICT, WITHOUT ROWID;

CREATE TABLE partner_events (
    partner         TEXT    NOT NULL REFERENCES partners (code), -- whose feed
    n               INTEGER NOT NULL,                        -- place in it
    type            TEXT    NOT NULL,                        -- topup.paid, balance.low, …
    operation       TEXT,                                    -- reference of what changed; NULL: none
    version         INTEGER,                                 -- the version that it tells of
    data            TEXT    NOT NULL,                        -- JSON, as it is sent
    request_id      TEXT,                                    -- the call that caused it; NULL: none did
    idempotency_key TEXT,                                    -- of that call
    in_feed         INTEGER NOT NULL CHECK (in_feed IN (0, 1)), -- 0: a test, sent to one endpoint only
    created_at      INTEGER NOT NULL,                        -- when the change was committed
    PRIMARY KEY (partner, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX partner_events_by_version ON partner_events (operation, version)
    WHERE operation IS NOT NULL;
CREATE INDEX partner_events_by_age ON partner_events (created_at);

CREATE TRIGGER partner_events_no_update BEFORE UPDATE ON partner_events
BEGIN SELECT RAISE(ABORT, 'an event is never edited'); END;

CREATE TABLE webhook_endpoints (
    id              TEXT    NOT NULL PRIMARY KEY,            -- we_…: what partners quote
    partner         TEXT    NOT NULL REFERENCES partners (code), -- whose
    url             TEXT    NOT NULL,                        -- where events are posted
    types           TEXT,                                    -- which, separated by blanks; NULL: all
    description     TEXT,                                    -- the partner's own words
    secret          TEXT    NOT NULL,                        -- signs what is sent; sealed by a key outside the database
    created_by      TEXT    NOT NULL,                        -- which key or person
    created_at      INTEGER NOT NULL,                        -- when
    disabled_at     INTEGER,                                 -- when it was switched off; NULL: it is on
    disabled_why    TEXT,                                    -- gone, failing
    last_success_at INTEGER,                                 -- when it last took an event
    last_error      TEXT                                     -- what the newest failed try met; NULL: none since a success
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_endpoints_by_partner ON webhook_endpoints (partner, created_at);

-- One event on its way to one endpoint. It is sent after those of the same operation that came before.
CREATE TABLE webhook_deliveries (
    endpoint     TEXT    NOT NULL                            -- where to
                 REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    partner      TEXT    NOT NULL,                           -- whose event
    n            INTEGER NOT NULL,                           -- which event
    operation    TEXT,                                       -- whose change it tells of; NULL: none
    state        TEXT    NOT NULL                            -- queued until it is taken or given up
                 CHECK (state IN ('queued', 'taken', 'given_up')),
    attempts     INTEGER NOT NULL DEFAULT 0,                 -- tries; also the fencing number
    tries_max    INTEGER NOT NULL,                           -- tries before it is given up
    due_at       INTEGER NOT NULL,                           -- not before; while leased, when the lease ends
    leased_by    TEXT,                                       -- the run that sends it; NULL: none
    status       INTEGER,                                    -- HTTP status of the newest answer
    error        TEXT,                                       -- why the newest try failed
    created_at   INTEGER NOT NULL,                           -- when it was queued
    PRIMARY KEY (endpoint, partner, n),
    FOREIGN KEY (partner, n) REFERENCES partner_events (partner, n) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, due_at) WHERE state = 'queued';
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (endpoint, operation, n)
    WHERE state = 'queued' AND operation IS NOT NULL;
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (partner, n);

-- What a call with an idempotency key was answered. It stands in the transaction of what the call did.
CREATE TABLE api_answers (
    partner         TEXT    NOT NULL REFERENCES partners (code), -- whose key it is
    idempotency_key TEXT    NOT NULL,                        -- as sent
    pepper_id       TEXT    NOT NULL,                        -- the key, outside the database, of the fingerprint
    fingerprint     TEXT    NOT NULL,                        -- HMAC of method, path and body
    status          INTEGER NOT NULL,                        -- HTTP status
    content_type    TEXT    NOT NULL,                        -- of the body
    location        TEXT,                                    -- where the operation can be read
    body            TEXT    NOT NULL,                        -- to the letter
    operation       TEXT,                                    -- reference of what it is about; NULL: nothing
    created_at      INTEGER NOT NULL,                        -- when
    PRIMARY KEY (partner, idempotency_key)
) STRICT, WITHOUT ROWID;

ALTER TABLE api_keys ADD COLUMN used_from TEXT;              -- address of its last use
ALTER TABLE api_keys ADD COLUMN replaces TEXT REFERENCES api_keys (id); -- the key that it took over from

ALTER TABLE otp_validations ADD COLUMN verified_at INTEGER;  -- when it was found right without being used
DROP VIEW codes;
CREATE VIEW codes AS
SELECT id, purpose, operation, partner, person_id, amount_cents, currency, destination, phone,
       pepper_id, digest, status, attempts, sent, created_at, expires_at, channel, address,
       verified_at
FROM otp_validations;
