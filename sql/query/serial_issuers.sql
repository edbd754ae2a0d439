-- Issuers whose affected certificate of campaign $1 has serial $2.
SELECT DISTINCT issuer FROM certificate WHERE campaign = $1 AND serial = $2::bytea ORDER BY issuer
