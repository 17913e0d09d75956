-- Answers go before notices, and notices before what goes to everybody, also where they wait in pages.

ALTER TABLE outbox ADD COLUMN rank INTEGER NOT NULL DEFAULT 0
    CHECK (rank BETWEEN 0 AND 2);                            -- who is served first: 0 answers, 1 notices, 2 digests and broadcasts
UPDATE outbox SET rank = 1 WHERE kind = 'notice' AND state = 'queued';

DROP INDEX outbox_queued;
CREATE INDEX outbox_queued ON outbox (rank, id) WHERE state = 'queued';
