-- Engines of campaign $1 seen in the last minute, alive or not.
SELECT host, kind, campaign_seen_at, NOT engine_is_dead(engine) FROM engine
 WHERE campaign = $1 AND seen_at > clock_timestamp() - interval '60 seconds' ORDER BY engine
