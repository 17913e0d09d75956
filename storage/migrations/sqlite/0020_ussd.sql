-- People dial from any phone: the sessions of USSD, and the PIN that stands for a code there.

-- One row a session: enough to answer a hop that comes again with the same bytes, and to know what
-- the next one answers. What people typed is here as a length and a keyed digest only: a PIN stays
-- in the gateway's text for the rest of the session.
CREATE TABLE ussd_sessions (
    gateway      TEXT    NOT NULL,                           -- who carries it
    session      TEXT    NOT NULL,                           -- the gateway's id of it
    phone        TEXT    NOT NULL,                           -- who dials
    code         TEXT    NOT NULL,                           -- the service code that was dialled
    network      TEXT    NOT NULL,                           -- as the gateway names it; empty: not told
    begun_at     INTEGER NOT NULL,                           -- when the first hop was decided
    heard_at     INTEGER NOT NULL,                           -- when the newest hop was decided
    hops         INTEGER NOT NULL CHECK (hops >= 1),         -- how many were decided
    text_length  INTEGER NOT NULL CHECK (text_length >= 0),  -- characters of the text decided so far
    text_digest  TEXT    NOT NULL,                           -- HMAC-SHA256 of that text
    key_id       TEXT    NOT NULL,                           -- which key digested it
    answer       TEXT    NOT NULL,                           -- the page that answered the newest hop
    goes_on      INTEGER NOT NULL CHECK (goes_on IN (0, 1)), -- 1: that page asks for more
    screen       TEXT,                                       -- what its keys mean, as JSON; NULL: it is over
    disputed_at  INTEGER,                                    -- when another phone or code first came with its id
    PRIMARY KEY (gateway, session),
    CHECK ((screen IS NULL) = (goes_on = 0))
) STRICT, WITHOUT ROWID;
CREATE INDEX ussd_sessions_by_phone ON ussd_sessions (phone, heard_at);
CREATE INDEX ussd_sessions_by_age ON ussd_sessions (heard_at);

-- What a gateway says of a session that has ended: counted, and never acted upon.
CREATE TABLE ussd_events (
    gateway      TEXT    NOT NULL,                           -- who carried it
    session      TEXT    NOT NULL,                           -- the gateway's id of it
    phone        TEXT    NOT NULL,                           -- masked
    network      TEXT    NOT NULL,                           -- as the gateway names it; empty: not told
    code         TEXT    NOT NULL,                           -- the service code that was dialled
    status       TEXT    NOT NULL                            -- how it ended
                 CHECK (status IN ('success', 'incomplete', 'failed')),
    hops         INTEGER NOT NULL CHECK (hops >= 0),         -- how many it had
    duration_ms  INTEGER NOT NULL CHECK (duration_ms >= 0),  -- from the dial to its end
    cost_cents   INTEGER NOT NULL CHECK (cost_cents >= 0),   -- what the gateway charges, in KES
    error        TEXT,                                       -- the gateway's words for a failure
    received_at  INTEGER NOT NULL,                           -- when the gateway said so
    PRIMARY KEY (gateway, session)
) STRICT, WITHOUT ROWID;
CREATE INDEX ussd_events_by_age ON ussd_events (received_at);

CREATE TABLE desk_pins (
    person_id    INTEGER NOT NULL PRIMARY KEY REFERENCES people (id),-- whose it is
    pepper_id    TEXT    NOT NULL,                           -- which key digested it
    digest       TEXT    NOT NULL,                           -- HMAC-SHA256; the PIN is nowhere
    wrong        INTEGER NOT NULL DEFAULT 0 CHECK (wrong BETWEEN 0 AND 3), -- in a row
    set_at       INTEGER NOT NULL,                           -- when it was typed twice
    locked_at    INTEGER,                                    -- after the third; a new PIN ends it
    CHECK ((locked_at IS NOT NULL) = (wrong = 3))
) STRICT;

-- A PIN on its way: its code was right, and it is typed twice.
CREATE TABLE desk_pin_changes (
    operation    TEXT    NOT NULL PRIMARY KEY,               -- what the code was for
    person_id    INTEGER NOT NULL REFERENCES people (id),    -- who sets it
    proved_at    INTEGER NOT NULL,                           -- when the code was right
    pepper_id    TEXT,                                       -- which key digested the first typing
    digest       TEXT,                                       -- of the first typing; NULL: not typed yet
    CHECK ((pepper_id IS NULL) = (digest IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX desk_pin_changes_by_age ON desk_pin_changes (proved_at);

-- What a PIN approved, and nothing else: as a used code says it of itself. A top-up that is not begun
-- yet has no row of its own: its reference is kept here from when the PIN is asked for.
CREATE TABLE pin_approvals (
    operation    TEXT    NOT NULL,                           -- the one operation it approved
    purpose      TEXT    NOT NULL                            -- buyer and colleague approve the same purchase
                 CHECK (purpose IN ('float_purchase', 'wallet_topup', 'approval')),
    partner      TEXT    NOT NULL REFERENCES partners (code),-- of the one partner
    person_id    INTEGER NOT NULL REFERENCES people (id),    -- whose PIN it was
    amount_cents INTEGER NOT NULL,                           -- as it was shown
    currency     TEXT    NOT NULL,                           -- ISO 4217
    destination  TEXT    NOT NULL,                           -- to the one destination
    asked_at     INTEGER NOT NULL,                           -- when the PIN was asked for
    approved_at  INTEGER,                                    -- NULL: no right PIN yet
    PRIMARY KEY (operation, purpose)
) STRICT, WITHOUT ROWID;
CREATE INDEX pin_approvals_open ON pin_approvals (asked_at) WHERE approved_at IS NULL;
CREATE TRIGGER pin_approvals_bind BEFORE UPDATE OF operation, purpose, partner, person_id, amount_cents,
    currency, destination
ON pin_approvals
BEGIN SELECT RAISE(ABORT, 'a PIN approves what it was asked for'); END;
CREATE TRIGGER pin_approvals_stay BEFORE UPDATE ON pin_approvals
WHEN OLD.approved_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what a PIN approved stays as it is'); END;
CREATE TRIGGER pin_approvals_kept BEFORE DELETE ON pin_approvals
WHEN OLD.approved_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what a PIN approved is kept'); END;

-- A PIN is set by a code of its own purpose.
DROP VIEW codes;
CREATE TABLE codes_new (
    id           TEXT    NOT NULL PRIMARY KEY,               -- drawn, part of what is digested
    purpose      TEXT    NOT NULL                            -- what kind of thing it approves
                 CHECK (purpose IN ('float_purchase', 'disbursement', 'wallet_topup', 'link_phone',
                                    'prove_mail', 'desk_pin', 'api_ceiling')),
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
    channel      TEXT,                                       -- where a code to a contact that is not proved was asked for
    address      TEXT,                                       -- by which account; NULL: the number was the person's own
    verified_at  INTEGER,                                    -- when it was found right without being used
    UNIQUE (operation, sent)
) STRICT, WITHOUT ROWID;
INSERT INTO codes_new (id, purpose, operation, partner, person_id, amount_cents, currency, destination,
    phone, pepper_id, digest, status, attempts, sent, created_at, expires_at, ended_at, channel, address,
    verified_at)
SELECT id, purpose, operation, partner, person_id, amount_cents, currency, destination,
    phone, pepper_id, digest, status, attempts, sent, created_at, expires_at, ended_at, channel, address,
    verified_at FROM otp_validations;
DROP TABLE otp_validations;
ALTER TABLE codes_new RENAME TO otp_validations;
CREATE UNIQUE INDEX otp_validations_one_pending ON otp_validations (operation)
    WHERE status = 'pending';
CREATE INDEX otp_validations_by_partner ON otp_validations (partner, created_at);
CREATE INDEX otp_validations_by_phone ON otp_validations (phone, created_at);
CREATE INDEX otp_validations_by_expiry ON otp_validations (expires_at) WHERE status = 'pending';
CREATE INDEX otp_validations_by_age ON otp_validations (created_at) WHERE status <> 'pending';
CREATE INDEX otp_validations_by_account ON otp_validations (channel, address, created_at)
    WHERE channel IS NOT NULL;
CREATE INDEX otp_validations_by_destination ON otp_validations (destination, created_at);
CREATE TRIGGER otp_validations_end_once BEFORE UPDATE OF id, purpose, operation, partner, person_id,
    amount_cents, currency, destination, phone, pepper_id, digest, status, attempts, sent, channel,
    address
ON otp_validations
WHEN OLD.status <> 'pending'
BEGIN SELECT RAISE(ABORT, 'a code that has ended stays as it is'); END;
CREATE TRIGGER otp_validations_wipe AFTER UPDATE OF status ON otp_validations
WHEN NEW.status <> 'pending'
BEGIN
    UPDATE outbox SET state = 'dead', text = '', error = 'the code has ended'
    WHERE otp = NEW.id AND state = 'queued';
END;
CREATE VIEW codes AS
SELECT id, purpose, operation, partner, person_id, amount_cents, currency, destination, phone,
       pepper_id, digest, status, attempts, sent, created_at, expires_at, channel, address,
       verified_at
FROM otp_validations;
