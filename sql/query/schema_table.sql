-- Digest of the state table in this schema, and the store's id
SELECT sha256(ledger_table()), (SELECT value FROM meta WHERE key = 'store')
