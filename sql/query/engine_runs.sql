-- Is an engine of campaign $1 alive now (its lock held)?
SELECT EXISTS (SELECT 1 FROM engine e JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted AND l.objid = e.engine::oid
                 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND l.classid = lock_class('engine')::bit(32)::bigint::oid
                WHERE e.campaign = $1 AND e.kind = 'engine' AND l.pid <> pg_backend_pid())
