-- Adds the certificates with the keys of the staged ones to them; CA certificates if $1 -> issuer, serial of what came.
SELECT * FROM keys_expand($1)
