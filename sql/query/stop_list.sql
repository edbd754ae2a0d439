-- Issuers of campaign $1 that nothing is revoked of.
SELECT i.subject, s.issuer, s.at, s.why FROM issuer_stop s JOIN issuer i USING (issuer)
 WHERE s.campaign = $1 AND s.lifted_at IS NULL ORDER BY s.stop
