-- Where the log of campaign $1 ends: size, digest over its last leaves, over those that end with leaf $2 (one alone may be
-- the same on two branches); the database it was on and the one it is on; how often a person confirmed.
SELECT l.size, (SELECT sha256(string_agg(hash, ''::bytea ORDER BY seq)) FROM event
                 WHERE campaign = l.campaign AND seq BETWEEN l.size - 100 AND l.size - 1),
       (SELECT sha256(string_agg(hash, ''::bytea ORDER BY seq)) FROM event
         WHERE campaign = l.campaign AND seq BETWEEN $2::bigint - 99 AND $2::bigint),
       coalesce(g.system, ''), system_mark(), coalesce(g.confirmed, 0)
  FROM log l LEFT JOIN generation g USING (campaign) WHERE l.campaign = $1
