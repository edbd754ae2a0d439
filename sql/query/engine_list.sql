-- Engines of campaign $1 that live or were seen in the last minute of the server's clock: host, kind, last seen in
-- campaign time, alive. Only looks at the locks: a report must not take one.
SELECT g.host, g.kind, g.campaign_seen_at, x.alive
  FROM engine g CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT 1 FROM pg_locks l
                    WHERE l.locktype = 'advisory' AND l.granted
                      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                      AND l.classid = lock_class('engine')::bit(32)::bigint::oid AND l.objid = g.engine::oid) AS alive) x
 WHERE g.campaign = $1 AND (x.alive OR g.seen_at > clock_timestamp() - interval '60 seconds') ORDER BY g.engine
