-- Engines but $2 that own chunks of campaign $1 and guard dates by a lock file that nobody has found free yet.
SELECT g.engine, g.host, g.lock_file
  FROM engine g
 WHERE g.engine <> $2::int AND g.guards <> '{}' AND NOT g.freed
   AND EXISTS (SELECT 1 FROM chunk h WHERE h.campaign = $1 AND h.state = 'claimed' AND h.owner = g.engine)
 ORDER BY g.engine
