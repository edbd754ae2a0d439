-- Engines of campaign $1 that hold their lock: host, kind, last seen in campaign time, and whether they stand still for
-- 30 seconds of the server's clock; what only sends notices beats at its beginning alone. Only looks at the locks: a
-- report must not take one.
SELECT g.host, g.kind, g.campaign_seen_at,
       g.kind = 'engine' AND g.seen_at < clock_timestamp() - interval '30 seconds'
  FROM engine g
 WHERE g.campaign = $1 AND EXISTS (
    SELECT 1 FROM pg_locks l
     WHERE l.locktype = 'advisory' AND l.granted
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND l.classid = lock_class('engine')::bit(32)::bigint::oid AND l.objid = g.engine::oid)
 ORDER BY g.engine
