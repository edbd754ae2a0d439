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
