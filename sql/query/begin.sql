-- Begins a transaction.
BEGIN
