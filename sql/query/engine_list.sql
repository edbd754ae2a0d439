-- Living engines of campaign $1: host, kind, last seen in campaign time. Only looks at the locks: a report must not
-- take one.
SELECT g.host, g.kind, g.campaign_seen_at
  FROM engine g
 WHERE g.campaign = $1 AND EXISTS (
    SELECT 1 FROM pg_locks l
     WHERE l.locktype = 'advisory' AND l.granted
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND l.classid = lock_class('engine')::bit(32)::bigint::oid AND l.objid = g.engine::oid)
 ORDER BY g.engine
