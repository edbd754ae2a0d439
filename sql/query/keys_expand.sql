-- Certificates of the inventory with the keys of the staged ones that are not staged themselves; CA certificates if $1.
SELECT * FROM keys_expand($1)
