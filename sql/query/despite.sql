-- Certificates of campaign $1 that are revoked although they are held, or were dropped.
SELECT held, dropped FROM despite($1)
