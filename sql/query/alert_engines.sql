-- Engines of campaign $1 that did not say goodbye and stand still for $2 seconds of the server's clock, or are gone with
-- none of their host in their place: host, process, for how many seconds. One that never beat does one thing and ends.
SELECT g.host, g.pid, floor(extract(epoch FROM clock_timestamp() - g.seen_at))::bigint
  FROM engine g
 WHERE g.campaign = $1 AND g.ended_at IS NULL AND g.seen_at < clock_timestamp() - make_interval(secs => $2)
   AND g.seen_at > clock_timestamp() - interval '1 day' AND g.campaign_seen_at > g.started_at
   AND NOT EXISTS (SELECT 1 FROM engine n WHERE n.campaign = g.campaign AND n.host = g.host AND n.kind = g.kind
                      AND n.engine > g.engine AND (n.pid = g.pid OR n.started_at >= g.campaign_seen_at))
 ORDER BY g.engine
