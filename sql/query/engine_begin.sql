-- Registers an engine of this session -> its number.
SELECT engine_begin($1, $2, $3, $4, $5)
