-- Who was only invited is nobody yet; a further account of a person rests for a while.

ALTER TABLE people ADD COLUMN invited INTEGER NOT NULL DEFAULT 0
    CHECK (invited IN (0, 1));                               -- 1: a name and what its invitation says; no number has proved itself, nobody sees them
ALTER TABLE people ADD COLUMN first_linked_at INTEGER;       -- when they first had an account; NULL: never yet
ALTER TABLE addresses ADD COLUMN rests_from INTEGER;         -- not the person's first account: what needs a code rests from then; NULL: it does not

-- A name was written down with the first code to an invitation: it belongs to nobody where that is
-- all that ever happened. Everybody else has had an account.
UPDATE people SET invited = 1
WHERE NOT EXISTS (SELECT 1 FROM addresses AS a WHERE a.person_id = people.id)
  AND EXISTS (SELECT 1 FROM otp_validations AS o
              WHERE o.person_id = people.id AND o.operation LIKE 'IN-%')
  AND NOT EXISTS (SELECT 1 FROM otp_validations AS o
                  WHERE o.person_id = people.id AND o.operation NOT LIKE 'IN-%')
  AND NOT EXISTS (SELECT 1 FROM audit_log AS l WHERE l.about = 'person:' || people.id)
  AND NOT EXISTS (SELECT 1 FROM wallet_transactions AS w WHERE w.person_id = people.id);
UPDATE people SET first_linked_at = coalesce(
    (SELECT min(a.linked_at) FROM addresses AS a WHERE a.person_id = people.id), created_at)
WHERE invited = 0;

-- What somebody has agreed to is looked for when they go.
CREATE INDEX approvals_given ON approvals (decided_by) WHERE decision = 'approved';

-- A person with their partner, in the order in which the program reads them.
DROP VIEW persons;
CREATE VIEW persons AS
SELECT p.id, p.name, p.role, p.phone, p.email, p.language, p.phone_changed_at, p.email_changed_at,
       r.code, r.suspended, w.currency, w.low_balance_cents, w.low_float_cents,
       w.approve_above_cents
FROM people AS p JOIN partners AS r ON r.code = p.partner
JOIN partner_wallets AS w ON w.partner = p.partner
WHERE p.invited = 0;
