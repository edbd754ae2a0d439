-- Where the log of campaign $1 ends: size, hash of the last leaf, hash of leaf $2; the database it was on and the one it is
-- on; how often a person confirmed.
SELECT l.size, (SELECT hash FROM event WHERE campaign = l.campaign AND seq = l.size - 1),
       (SELECT hash FROM event WHERE campaign = l.campaign AND seq = $2::bigint), coalesce(g.system, ''), system_mark(),
       coalesce(g.confirmed, 0)
  FROM log l LEFT JOIN generation g USING (campaign) WHERE l.campaign = $1
