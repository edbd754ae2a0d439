-- Requests that went to CA $4 ($5 by name) after $1, of whichever campaign: when, how many, whether that is known; oldest
-- first. Those that were answered, by when that was written down. Those without an answer may be all that is open in
-- chunks that have an owner other than $3, until the owner was seen last, or now ($2). So many questions may have gone as
-- were noted.
SELECT e.at, sum(length(r.outcomes)), true
  FROM campaign g
 CROSS JOIN LATERAL (SELECT coalesce((SELECT x.seq FROM event x WHERE x.campaign = g.campaign AND x.at <= $1
                                       ORDER BY x.seq DESC LIMIT 1), -1) AS seq OFFSET 0) before
  JOIN result r ON r.campaign = g.campaign AND r.seq > before.seq
  JOIN event e ON e.campaign = r.campaign AND e.seq = r.seq
  JOIN chunk h ON h.campaign = r.campaign AND h.chunk = r.chunk
 WHERE e.at > $1 AND h.ca = $4 GROUP BY 1
 UNION ALL
SELECT least($2, g.campaign_seen_at + 1),
       sum(count_state(b.bytes, state_code('asked')) + count_state(b.bytes, state_code('doubt'))), false
  FROM chunk h JOIN engine g ON g.engine = h.owner CROSS JOIN LATERAL states_of(h.campaign, h.numbers) b(bytes)
 WHERE h.state = 'claimed' AND h.ca = $4 AND h.owner <> $3 AND g.campaign_seen_at + 1 > $1
 GROUP BY 1
 UNION ALL
SELECT at, sum(asked), false FROM question WHERE ca = $5 AND at > $1 GROUP BY 1
 ORDER BY 1, 3 DESC
