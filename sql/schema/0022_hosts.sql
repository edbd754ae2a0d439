-- Where a backend can overwrite a date and sends are not guarded, a CA's engines work on one host, and each holds a lock
-- file besides its session: a process that is stopped keeps it, one that is killed does not. guards: the issuers it is
-- about; freed: somebody on its host found the file free. It is never taken again, so that stays true.
ALTER TABLE engine ADD COLUMN guards integer[] NOT NULL DEFAULT '{}',
                   ADD COLUMN lock_file text NOT NULL DEFAULT '',
                   ADD COLUMN freed boolean NOT NULL DEFAULT false;

-- Is this engine dead: its session gone and, where dates are at stake, its lock file free? Tried, never waited for.
CREATE OR REPLACE FUNCTION engine_is_dead(e integer) RETURNS boolean LANGUAGE sql AS $$
    SELECT CASE WHEN EXISTS (SELECT 1 FROM engine g WHERE g.engine = e AND g.guards <> '{}' AND NOT g.freed) THEN false
                ELSE pg_try_advisory_xact_lock(lock_class('engine'), e) END
$$;

-- Engine `e` is going to send for these issuers under this lock file. Refused while an engine of another host lives, or
-- owns something of theirs that may be under way; `gone`: that host is gone for good, a person says why in `data`.
CREATE FUNCTION engine_guard(c integer, e integer, issuers integer[], file text, gone boolean, at bigint, actor text, data text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE g record; mine text;
BEGIN
    PERFORM pg_advisory_xact_lock(lock_class('hosts'), 0);
    SELECT host INTO mine FROM engine WHERE engine = e;
    FOR g IN SELECT o.engine, o.host, engine_lives(o.engine) AS lives FROM engine o
              WHERE o.guards && issuers AND o.host <> mine AND NOT o.freed
                AND (engine_lives(o.engine) OR EXISTS (SELECT 1 FROM chunk h WHERE h.owner = o.engine)) ORDER BY o.engine
    LOOP
        IF g.lives THEN
            RAISE EXCEPTION 'engine % runs on host %: the engines of a CA that can overwrite a date work on one host',
                g.engine, g.host USING ERRCODE = 'MR006';
        ELSIF NOT gone THEN
            RAISE EXCEPTION 'engine % of host % left certificates under way and may only be stopped: only there can it be seen',
                g.engine, g.host USING ERRCODE = 'MR006';
        END IF;
        UPDATE engine SET freed = true WHERE engine = g.engine;
        PERFORM log_note(c, at, actor, 'host_gone', data);
    END LOOP;
    UPDATE engine SET guards = issuers, lock_file = file WHERE engine = e;
END $$;

-- ---- engines that may not read whom the campaign tells (sql/role/executor.sql) ----

-- As before, but only events of type `notices` are asked for tries.
CREATE OR REPLACE FUNCTION log_end(c integer, s bigint, at bigint, actor text, type text, data text) RETURNS bigint
LANGUAGE plpgsql SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    rows text;
    leaf text;
BEGIN
    SELECT coalesce(string_agg(format('"%s":"%s"', key, encode(sha256(convert_to(body, 'UTF8')), 'hex')), ','
                               ORDER BY key COLLATE "C"), '')
      INTO rows FROM (SELECT * FROM ledger_rows(c, s)
                      UNION ALL SELECT * FROM notice_rows(c, s) WHERE type = 'notices') r;
    leaf := format('{"actor":%s,"at":%s,"data":%s,"rows":{%s},"seq":%s,"type":"%s"}',
                   to_json(actor), at, data, rows, s, type);
    INSERT INTO event VALUES (c, s, at, actor, type, leaf, sha256('\x00'::bytea || convert_to(leaf, 'UTF8')));
    RETURN s;
END $$;

-- Chunks that wait for a message, as far as one can tell who may not look whether it was handed over: all that were moved
-- earlier wait until `until_at`; and what a plan dealt that nobody has compared yet with what people were told waits for
-- that, at most five minutes.
CREATE FUNCTION moved_held(c integer, at bigint) RETURNS integer[] LANGUAGE plpgsql STABLE AS $$
DECLARE ns integer[]; held integer[];
BEGIN
    SELECT array_agg(y.number) INTO ns FROM moved m JOIN numbered y USING (campaign, issuer, serial, cohort)
     WHERE m.campaign = c AND m.until_at > at;
    SELECT array_agg(h.chunk) INTO held FROM cohort o JOIN plan p USING (campaign, cohort, plan)
      JOIN chunk h USING (campaign, cohort, plan)
     WHERE o.campaign = c AND o.moves_plan <> o.plan AND p.at > moved_held.at - 300 AND h.state IN ('ready', 'claimed');
    RETURN coalesce(held, '{}') || CASE WHEN ns IS NULL THEN '{}' ELSE ARRAY(SELECT chunks_of(c, ns)) END;
END $$;

-- Subscribers of campaign c: how many, with a bad address, without any contact. A function, so that whoever counts without
-- people needs no right to read contacts.
CREATE FUNCTION counts_people(c integer) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT json_build_array(
               count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM contact t WHERE t.subscriber = s.subscriber AND t.address_bad)),
               count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM contact t WHERE t.subscriber = s.subscriber AND NOT t.address_bad)))
              FROM (SELECT DISTINCT subscriber FROM certificate
                     WHERE campaign = c AND excluded IS NULL AND NOT withdrawn AND subscriber <> '') s);
END $$;

-- As before; a session that this role may not end is left to an engine that may.
CREATE OR REPLACE FUNCTION engine_beat(c integer, e integer, at bigint) RETURNS TABLE (alive boolean, generation bigint)
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE engine SET seen_at = clock_timestamp(), campaign_seen_at = at WHERE engine = e;
    BEGIN
        PERFORM pg_terminate_backend(l.pid)
           FROM engine g JOIN pg_locks l ON l.locktype = 'advisory' AND l.classid = lock_class('engine')::bit(32)::bigint::oid
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND l.objid = g.engine::oid AND l.granted
                AND l.pid = g.backend_pid
          WHERE g.campaign = c AND g.engine <> e AND g.seen_at < clock_timestamp() - interval '30 seconds';
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    RETURN QUERY SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN engine g ON g.engine = e AND l.pid = g.backend_pid
                        WHERE l.locktype = 'advisory'
                          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                          AND l.classid = lock_class('engine')::bit(32)::bigint::oid
                          AND l.objid = e::oid AND l.granted),
                        (SELECT k.generation FROM campaign k WHERE k.campaign = c);
END $$;

-- ---- a database that was put back to an earlier state ----

-- Which database the campaign's engines work on: the server's system identifier and timeline, both of which survive in a
-- dump that is read in elsewhere; confirmed: how often a person let engines go on after it was put back.
CREATE TABLE generation (
    campaign integer PRIMARY KEY REFERENCES campaign,
    system text NOT NULL,
    confirmed integer NOT NULL DEFAULT 0
);

-- "identifier/timeline"; '' where the server does not tell.
CREATE FUNCTION system_mark() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT s.system_identifier || '/' || p.timeline_id FROM pg_control_system() s, pg_control_checkpoint() p);
EXCEPTION WHEN insufficient_privilege THEN
    RETURN '';
END $$;

-- A person says that engines may go on from here; none that works by an older generation does.
CREATE FUNCTION generation_confirm(c integer, at bigint, actor text, data text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaign SET generation = generation + 1 WHERE campaign = c;
    INSERT INTO generation AS g VALUES (c, system_mark(), 1)
        ON CONFLICT (campaign) DO UPDATE SET system = excluded.system, confirmed = g.confirmed + 1;
    PERFORM log_note(c, at, actor, 'restored', data);
END $$;
