-- Part $2 of the object with digest $1.
SELECT bytes FROM object_part WHERE sha256 = $1::bytea AND part = $2
