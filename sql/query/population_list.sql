-- Versions of the population of campaign $1; dropped: withdrawn while it was the newest.
SELECT p.version, p.cohort, p.source, p.author, p.heuristic, p.decision, p.sha256, p.at, p.lines, p.accepted, p.duplicate,
       p.rejected, p.added, coalesce(d.n, 0)
  FROM population p
  LEFT JOIN (SELECT dropped_in, count(*) AS n FROM certificate WHERE campaign = $1 AND withdrawn GROUP BY dropped_in) d
    ON d.dropped_in = p.version
 WHERE p.campaign = $1 ORDER BY p.version
