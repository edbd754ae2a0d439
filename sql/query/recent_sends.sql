-- Requests that CAs answered after $1, of whichever campaign: CA, when it was written down, how many; oldest first.
SELECT h.ca, e.at, sum(length(r.outcomes))
  FROM campaign g
 CROSS JOIN LATERAL (SELECT coalesce((SELECT x.seq FROM event x WHERE x.campaign = g.campaign AND x.at <= $1
                                       ORDER BY x.seq DESC LIMIT 1), -1) AS seq OFFSET 0) before
  JOIN result r ON r.campaign = g.campaign AND r.seq > before.seq
  JOIN event e ON e.campaign = r.campaign AND e.seq = r.seq
  JOIN chunk h ON h.campaign = r.campaign AND h.chunk = r.chunk
 WHERE e.at > $1 GROUP BY 1, 2 ORDER BY 2, 1
