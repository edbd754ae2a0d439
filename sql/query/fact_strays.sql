-- Fact rows of campaign $1 that belong to no event -> table, event they name, page or notice.
SELECT 'change', seq, page FROM change h
 WHERE campaign = $1 AND NOT EXISTS (SELECT 1 FROM event e WHERE e.campaign = $1 AND e.seq = h.seq)
UNION ALL SELECT 'result', seq, page FROM result h
 WHERE campaign = $1 AND NOT EXISTS (SELECT 1 FROM event e WHERE e.campaign = $1 AND e.seq = h.seq)
UNION ALL SELECT 'sighting', seq, page FROM sighting h
 WHERE campaign = $1 AND NOT EXISTS (SELECT 1 FROM event e WHERE e.campaign = $1 AND e.seq = h.seq)
UNION ALL SELECT 'notice_try', seq, notice FROM notice_try h
 WHERE campaign = $1 AND NOT EXISTS (SELECT 1 FROM event e WHERE e.campaign = $1 AND e.seq = h.seq)
UNION ALL SELECT 'reason_fact', seq, change FROM reason_fact h
 WHERE campaign = $1 AND NOT EXISTS (SELECT 1 FROM event e WHERE e.campaign = $1 AND e.seq = h.seq)
ORDER BY 2, 1, 3 LIMIT 10
