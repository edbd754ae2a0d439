-- Alerts: what a campaign cannot mend itself, who was called for it, who took it. No facts: nothing of the ledger
-- follows from them; that one was raised, taken or is over is an event of the log.

-- An engine that ends says so; one that is gone without a word is told from it.
ALTER TABLE engine ADD COLUMN ended_at bigint;

-- engine: the only one that sees its cause; NULL: the store shows it to everybody.
CREATE TABLE alert (
    campaign integer NOT NULL,
    alert integer NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    since bigint,
    text text NOT NULL,
    cost text NOT NULL,
    command text NOT NULL,
    engine integer,
    raised_at bigint NOT NULL,
    acked_at bigint,
    acked_by text NOT NULL DEFAULT '',
    cleared_at bigint,
    PRIMARY KEY (campaign, alert)
);
CREATE UNIQUE INDEX alert_open ON alert (campaign, kind, subject) WHERE cleared_at IS NULL;

-- The calls of an alert. step counts the names called, -1 tells that it is over; engine owes the answer while outcome
-- is NULL.
CREATE TABLE alert_try (
    campaign integer NOT NULL,
    alert integer NOT NULL,
    step integer NOT NULL,
    path text NOT NULL CHECK (path IN ('command', 'mail')),
    recipient text NOT NULL,
    attempt integer NOT NULL,
    at bigint NOT NULL,
    engine integer NOT NULL,
    outcome text,
    text text NOT NULL DEFAULT '',
    PRIMARY KEY (campaign, alert, step, path)
);

-- The newest CRLs are found without the answers of responders, of which there may be millions.
CREATE INDEX object_crl ON object (campaign, url, object) WHERE kind = 'crl';

-- Does a session hold this engine's lock? Only looks.
CREATE FUNCTION engine_lives(e integer) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM pg_locks l
                    WHERE l.locktype = 'advisory' AND l.granted
                      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                      AND l.classid = lock_class('engine')::bit(32)::bigint::oid AND l.objid = e::oid)
$$;

-- Raises those whose subject has none that is open; others did it already.
CREATE FUNCTION alert_raise(c integer, at bigint, actor text, kinds text[], subjects text[], sinces bigint[],
                            texts text[], costs text[], commands text[], engines integer[], datas text[])
RETURNS SETOF integer LANGUAGE plpgsql AS $$
DECLARE n integer;
BEGIN
    PERFORM 1 FROM campaign g WHERE g.campaign = c FOR NO KEY UPDATE;
    SELECT coalesce(max(x.alert), 0) INTO n FROM alert x WHERE x.campaign = c;
    FOR i IN 1 .. cardinality(kinds) LOOP
        CONTINUE WHEN EXISTS (SELECT 1 FROM alert x WHERE x.campaign = c AND x.kind = kinds[i]
                                 AND x.subject = subjects[i] AND x.cleared_at IS NULL);
        n := n + 1;
        INSERT INTO alert VALUES (c, n, kinds[i], subjects[i], sinces[i], texts[i], costs[i], commands[i], engines[i], at);
        RETURN NEXT n;
    END LOOP;
    FOR i IN 1 .. cardinality(kinds) LOOP
        PERFORM log_note(c, at, actor, 'alert', datas[i]) FROM alert x
          WHERE x.campaign = c AND x.kind = kinds[i] AND x.subject = subjects[i] AND x.cleared_at IS NULL
            AND x.raised_at = alert_raise.at AND x.acked_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM alert_try t WHERE t.campaign = c AND t.alert = x.alert);
    END LOOP;
END $$;

-- Ends these; their calls end too.
CREATE FUNCTION alert_clear(c integer, at bigint, actor text, alerts integer[], data text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE n integer;
BEGIN
    UPDATE alert x SET cleared_at = alert_clear.at
     WHERE x.campaign = c AND x.alert = ANY (alerts) AND x.cleared_at IS NULL;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        PERFORM log_note(c, alert_clear.at, actor, 'alert_clear', data);
    END IF;
    RETURN n;
END $$;

-- A person takes alert k, or (0) all that nobody has taken: nobody else is called.
CREATE FUNCTION alert_ack(c integer, k integer, at bigint, actor text, data text) RETURNS SETOF integer
LANGUAGE plpgsql AS $$
DECLARE n integer[];
BEGIN
    WITH taken AS (
        UPDATE alert x SET acked_at = alert_ack.at, acked_by = actor
         WHERE x.campaign = c AND k IN (0, x.alert) AND x.acked_at IS NULL AND x.cleared_at IS NULL
        RETURNING x.alert)
    SELECT array_agg(taken.alert ORDER BY taken.alert) INTO n FROM taken;
    IF n IS NOT NULL THEN
        PERFORM log_note(c, alert_ack.at, actor, 'alert_ack', data);
    END IF;
    RETURN QUERY SELECT unnest(n);
END $$;

-- Takes one call over for engine e: true when nobody else makes it, it was not answered, and it is still wanted.
CREATE FUNCTION alert_call(c integer, k integer, step integer, path text, recipient text, at bigint, e integer)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM alert x WHERE x.campaign = c AND x.alert = k
        AND CASE WHEN alert_call.step < 0 THEN x.cleared_at IS NOT NULL
                 ELSE x.cleared_at IS NULL AND x.acked_at IS NULL END FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO alert_try AS t (campaign, alert, step, path, recipient, attempt, at, engine)
    VALUES (c, k, alert_call.step, alert_call.path, alert_call.recipient, 1, alert_call.at, e)
    ON CONFLICT ON CONSTRAINT alert_try_pkey DO UPDATE
       SET attempt = t.attempt + 1, at = excluded.at, engine = excluded.engine, outcome = NULL, text = ''
     WHERE t.outcome IN ('later', 'unknown') OR (t.outcome IS NULL AND (t.engine = e OR NOT engine_lives(t.engine)));
    RETURN FOUND;
END $$;
