-- Does any session of this server hold an engine's lock? Engine locks are session locks of two keys.
SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND a.application_name = 'massrevoke'
                  AND a.pid <> pg_backend_pid())
