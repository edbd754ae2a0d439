-- The journal of campaign $1 after ($2, $3, $4): event, page, step, time, whether it is work or what the world showed,
-- cohort, bytes before and after; at most $5.
SELECT h.seq, h.page, h.step, e.at, e.type IN ('settle', 'sighting'), p.cohort, h.befores, h.afters
  FROM change h JOIN event e USING (campaign, seq) JOIN page p USING (campaign, page)
 WHERE h.campaign = $1 AND h.seq >= $2 AND (h.seq, h.page, h.step) > ($2, $3::integer, $4::smallint)
 ORDER BY h.seq, h.page, h.step LIMIT $5
