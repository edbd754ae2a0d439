-- Certificates of change $2 of reasons of campaign $1: number, issuer and its subject, serial, reason and date before, state, words.
SELECT i.number, i.issuer, g.subject, i.serial, i.old_reason, i.old_at, i.state, i.said
  FROM reason_item i JOIN issuer g USING (issuer)
 WHERE i.campaign = $1 AND i.change = $2 ORDER BY i.number
