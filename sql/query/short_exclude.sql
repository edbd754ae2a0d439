-- Excludes certificate ($2, $3) of campaign $1 as short-lived.
UPDATE certificate SET excluded = 'short_lived' WHERE campaign = $1 AND issuer = $2 AND serial = $3::bytea
