-- Keeps part $2 of the object with digest $1.
INSERT INTO object_part VALUES ($1, $2, $3::bytea) ON CONFLICT DO NOTHING
