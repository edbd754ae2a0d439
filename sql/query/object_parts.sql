-- Parts of the object with digest $1.
SELECT bytes FROM object_part WHERE sha256 = $1::bytea ORDER BY part
