-- Engines that send to the same CA divide its limits, whichever campaigns they are of: each tells with its heartbeat to
-- which CAs, by name, it sends, and learns how many do. Backends that ask to be left alone (Retry-After, RFC 9110 section
-- 10.2.3) are left alone by all of them.
ALTER TABLE engine ADD COLUMN sends text[] NOT NULL DEFAULT '{}';

CREATE TABLE away (
    ca text PRIMARY KEY,
    told_at bigint NOT NULL,
    until_at bigint NOT NULL
);

DROP FUNCTION engine_beat(integer, integer, bigint);

-- As before; engine `e` sends to `cas`, which told it to leave them alone until `aways` (0: they did not). How many engines
-- send to each (whose session holds its lock, this one among them), how many of those came before, and until when any was
-- told to leave it alone. Who changes what it sends to does so alone: of two that begin at once the second sees the first.
CREATE FUNCTION engine_beat(c integer, e integer, at bigint, cas text[], aways bigint[])
RETURNS TABLE (alive boolean, generation bigint, engines bigint[], ranks bigint[], untils bigint[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF cas IS DISTINCT FROM (SELECT sends FROM engine WHERE engine = e) THEN
        PERFORM pg_advisory_xact_lock(lock_class('sends'), 0);
    END IF;
    UPDATE engine SET seen_at = clock_timestamp(), campaign_seen_at = at, sends = cas WHERE engine = e;
    INSERT INTO away AS w SELECT u.name, at, u.until_at FROM unnest(cas, aways) u(name, until_at)
                           WHERE u.until_at > at AND NOT EXISTS (SELECT 1 FROM away x
                                                                  WHERE x.ca = u.name AND x.until_at >= u.until_at)
        ON CONFLICT (ca) DO UPDATE SET told_at = excluded.told_at, until_at = greatest(w.until_at, excluded.until_at);
    BEGIN
        PERFORM pg_terminate_backend(l.pid)
           FROM engine g JOIN pg_locks l ON l.locktype = 'advisory' AND l.classid = lock_class('engine')::bit(32)::bigint::oid
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND l.objid = g.engine::oid AND l.granted
                AND l.pid = g.backend_pid
          WHERE g.campaign = c AND g.engine <> e AND g.seen_at < clock_timestamp() - interval '30 seconds';
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    RETURN QUERY
    WITH living AS MATERIALIZED (
        SELECT g.engine, g.sends FROM pg_locks l JOIN engine g ON l.objid = g.engine::oid AND l.pid = g.backend_pid
         WHERE l.locktype = 'advisory' AND l.granted
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND l.classid = lock_class('engine')::bit(32)::bigint::oid)
    SELECT EXISTS (SELECT 1 FROM living v WHERE v.engine = e),
           (SELECT k.generation FROM campaign k WHERE k.campaign = c),
           ARRAY(SELECT (SELECT count(*) FROM living v WHERE u.name = ANY (v.sends))
                   FROM unnest(cas) WITH ORDINALITY u(name, i) ORDER BY u.i),
           ARRAY(SELECT (SELECT count(*) FROM living v WHERE u.name = ANY (v.sends) AND v.engine < e)
                   FROM unnest(cas) WITH ORDINALITY u(name, i) ORDER BY u.i),
           ARRAY(SELECT coalesce((SELECT w.until_at FROM away w WHERE w.ca = u.name), 0)
                   FROM unnest(cas) WITH ORDINALITY u(name, i) ORDER BY u.i);
END $$;
