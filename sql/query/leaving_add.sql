-- Adds what was noted as leaving a later clock and is not revoked to the earlier one.
SELECT leaving_add($1, $2, $3)
