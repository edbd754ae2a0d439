-- Expires what notAfter has passed.
SELECT queue_expire($1, $2, $3)
