-- What waits is moved when somebody sets the clock. For that the desk must know where its time stood,
-- also over a start, and for how long it seems to have stood still.

CREATE TABLE clock (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),        -- there is one row
    at  INTEGER NOT NULL,                                    -- moment of the newest commit, to a second
    astray INTEGER NOT NULL                                  -- milliseconds: steps and standstills until then
) STRICT;
INSERT INTO clock (one, at, astray) SELECT 1, coalesce(max(decided_at), 0), 0 FROM events;

CREATE TABLE clock_changes (
    seq          INTEGER PRIMARY KEY,                        -- in the order in which they were noticed
    at           INTEGER NOT NULL,                           -- when it was noticed; when the desk was started
    kind         TEXT NOT NULL CHECK (kind IN ('step', 'standstill')),  -- set while the desk ran, or before a start
    milliseconds INTEGER NOT NULL CHECK (milliseconds <> 0)  -- by which the clock went on, back below zero
) STRICT;
CREATE INDEX clock_changes_by_time ON clock_changes (at);

-- When a code was drawn and ended counts for an hour, or a day: those moments are moved too.
DROP TRIGGER otp_validations_end_once;
CREATE TRIGGER otp_validations_end_once BEFORE UPDATE OF id, purpose, operation, partner, person_id,
    amount_cents, currency, destination, phone, pepper_id, digest, status, attempts, sent, channel,
    address
ON otp_validations
WHEN OLD.status <> 'pending'
BEGIN SELECT RAISE(ABORT, 'a code that has ended stays as it is'); END;
