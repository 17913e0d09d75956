-- Admins may say which top-up a payment in suspense has paid; the least of a payment is a shilling.

ALTER TABLE proposals ADD COLUMN topup TEXT;  -- that the payment it is about has paid; else nothing

UPDATE limits SET amount_cents = 100 WHERE name IN ('c2b.min', 'float.min') AND amount_cents < 100;
