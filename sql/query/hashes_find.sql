-- The staged hashes that the inventory has -> place, issuer, serial.
SELECT place, issuer, serial FROM hashes_find()
