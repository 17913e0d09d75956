-- Admins may say which top-up a payment in suspense has paid.

ALTER TABLE proposals ADD COLUMN topup TEXT;  -- that the payment it is about has paid; else nothing
