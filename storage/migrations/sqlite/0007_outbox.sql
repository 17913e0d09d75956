-- Every message is written twice, and SQLite lays a temporary table for each list of three or more
-- that a CHECK looks into: half of what queueing a message cost. Alternatives need none.

CREATE TABLE outbox_new (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,   -- order of sending within a chat
    channel    TEXT    NOT NULL,                             -- telegram, terminal, sms, mail
    address    TEXT    NOT NULL,                             -- chat; phone for SMS; mail address
    event_id   TEXT,                                         -- the event it answers; NULL: by itself
    n          INTEGER NOT NULL DEFAULT 0,                   -- number among that event's answers
    kind       TEXT    NOT NULL                              -- to a turn, by itself, a code, or a deed
               CHECK (kind = 'answer' OR kind = 'progress' OR kind = 'receipt'
                   OR kind = 'notice' OR kind = 'code' OR kind = 'wipe'),
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
               CHECK (state = 'queued' OR state = 'sent' OR state = 'dead'),
    attempts   INTEGER NOT NULL DEFAULT 0,                   -- sends tried
    due_at     INTEGER NOT NULL,                             -- not before
    created_at INTEGER NOT NULL,                             -- when its turn was committed
    error      TEXT,                                         -- why it is dead, or was last refused
    message_id TEXT,                                         -- the carrier's id of it, once taken
    delivered  INTEGER CHECK (delivered IN (0, 1)),          -- what a delivery report said; NULL: nothing
    silent     INTEGER NOT NULL DEFAULT 0 CHECK (silent IN (0, 1)), -- 1: shown without a sound
    document   TEXT,                                         -- document that goes with it
    UNIQUE (channel, event_id, n)
) STRICT;

INSERT INTO outbox_new (id, channel, address, event_id, n, kind, slot, edits, text, rows, turn,
    fallback, protect, otp, target, state, attempts, due_at, created_at, error, message_id,
    delivered, silent, document)
SELECT id, channel, address, event_id, n, kind, slot, edits, text, rows, turn,
    fallback, protect, otp, target, state, attempts, due_at, created_at, error, message_id,
    delivered, silent, document
FROM outbox;

DROP TRIGGER otp_validations_wipe;
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
