-- Is this object of the pointer kept already, whole?
SELECT EXISTS (SELECT 1 FROM object b WHERE b.campaign = $1 AND b.kind = $2 AND b.url = $3 AND b.issuer = $4
                  AND b.number IS NOT DISTINCT FROM $5::integer AND b.sha256 = $6::bytea AND b.counts = $7 AND b.keep <> 'hash')
