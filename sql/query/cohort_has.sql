-- Is certificate ($3, $4) to be revoked with cohort $2?
SELECT EXISTS (SELECT 1 FROM certificate WHERE campaign = $1 AND cohort = $2 AND issuer = $3 AND serial = $4::bytea
                  AND excluded IS NULL AND NOT withdrawn)
