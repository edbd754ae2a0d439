-- The journal of state bytes of pages $2 up to $3 of campaign $1, per page in order.
SELECT page, seq, offsets, befores, afters FROM change h WHERE campaign = $1 AND page BETWEEN $2 AND $3
   AND EXISTS (SELECT 1 FROM page p WHERE p.campaign = h.campaign AND p.page = h.page)
 ORDER BY page, seq, step
