-- A backup says of itself that it is one, and a code that may have been sent is not sent for ever.

CREATE TABLE restores (
    id       INTEGER NOT NULL PRIMARY KEY,                   -- order
    made_at  INTEGER NOT NULL,                               -- moment of the backup: what came later is not here
    begun_at INTEGER,                                        -- when it was first opened as a desk; NULL: it is a backup
    found    TEXT,                                           -- JSON: what could not be known then, by kind
    told_at  INTEGER                                         -- when admins and people were told; NULL: not yet
) STRICT;

ALTER TABLE outbox ADD COLUMN unsure INTEGER NOT NULL DEFAULT 0
    CHECK (unsure >= 0);                                     -- sends of a code that may have arrived
