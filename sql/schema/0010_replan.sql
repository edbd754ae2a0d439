-- A plan that follows reality: replaced certificates, how fast the work really goes, and who was moved earlier.

-- Affected certificates that have a number.
CREATE VIEW numbered AS
    SELECT campaign, number, issuer, serial, cohort, subscriber FROM affected WHERE number IS NOT NULL;

-- Where replacements come from. stamp: what tells that a file changed; issuer: of rows that name none.
CREATE TABLE replacement_source (
    campaign integer NOT NULL,
    source integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('file', 'query', 'stream')),
    location text NOT NULL,
    query text NOT NULL,
    issuer integer,
    stamp text NOT NULL,
    read_at bigint NOT NULL,
    PRIMARY KEY (campaign, source),
    UNIQUE (campaign, kind, location, query)
);

-- An affected certificate that has another one in its place. plan: its cohort's when it came in, 0 none: a plan made
-- since then knows of it. lint: NULL not run, '' nothing found, else the first line of what was found.
CREATE TABLE replacement (
    campaign integer NOT NULL,
    issuer integer NOT NULL,
    serial bytea NOT NULL,
    source integer NOT NULL,
    at bigint NOT NULL,
    replaced_at bigint,
    replacement_serial bytea,
    sha256 bytea,
    file text NOT NULL,
    plan integer NOT NULL,
    lint text,
    PRIMARY KEY (campaign, issuer, serial)
);

-- Marks the certificates of temporary table staging_replacement(issuer, serial, line, replaced_at, replacement_serial,
-- sha256, file): the first row of each counts. One event, but none when a source read again brings nothing new
-- (`again`). in = accepted + duplicate + unknown + rejected.
CREATE FUNCTION replacements_mark(c integer, at bigint, actor text, kind text, location text, query text, iss integer,
                                  stamp text, sha bytea, again boolean, rejected bigint)
RETURNS TABLE (accepted bigint, duplicate bigint, unknown bigint, strangers bigint[]) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE src integer; total bigint; fresh bigint; foreign_ bigint; lines_ bigint[]; s bigint;
BEGIN
    PERFORM 1 FROM campaign g WHERE g.campaign = c FOR NO KEY UPDATE;
    SELECT x.source INTO src FROM replacement_source x
     WHERE x.campaign = c AND x.kind = $4 AND x.location = $5 AND x.query = $6;
    IF src IS NULL THEN
        SELECT coalesce(max(x.source), 0) + 1 INTO src FROM replacement_source x WHERE x.campaign = c;
        INSERT INTO replacement_source VALUES (c, src, $4, $5, $6, iss, $8, $2);
    ELSE
        UPDATE replacement_source x SET stamp = $8, read_at = $2, issuer = iss WHERE x.campaign = c AND x.source = src;
    END IF;
    ANALYZE staging_replacement;
    SELECT count(*), count(*) FILTER (WHERE t.serial IS NULL), array_agg(g.line ORDER BY g.line) FILTER (WHERE t.serial IS NULL)
      INTO total, foreign_, lines_
      FROM staging_replacement g LEFT JOIN certificate t ON t.campaign = c AND t.issuer = g.issuer AND t.serial = g.serial;
    INSERT INTO replacement
    SELECT DISTINCT ON (g.issuer, g.serial) c, g.issuer, g.serial, src, $2, g.replaced_at, g.replacement_serial, g.sha256, g.file,
           coalesce(o.plan, 0), CASE WHEN g.file = '' THEN '' END
      FROM staging_replacement g JOIN certificate t ON t.campaign = c AND t.issuer = g.issuer AND t.serial = g.serial
      JOIN cohort o ON o.campaign = c AND o.cohort = t.cohort
     ORDER BY g.issuer, g.serial, g.line
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS fresh = ROW_COUNT;
    IF fresh > 0 OR NOT again THEN
        s := log_begin(c); -- before the rows: whoever else changes them holds the log, too
        UPDATE campaign g SET material = g.material + 1 WHERE g.campaign = c;
        UPDATE certificate t SET replaced = true FROM staging_replacement g
         WHERE t.campaign = c AND t.issuer = g.issuer AND t.serial = g.serial AND NOT t.replaced;
        PERFORM log_end(c, s, $2, actor, 'replacements',
                        format('{"accepted":%s,"duplicate":%s,"rejected":%s,"sha256":"%s","source":%s,"unknown":%s}', fresh,
                               total - foreign_ - fresh, rejected, encode(sha, 'hex'), src, foreign_));
    END IF;
    RETURN QUERY SELECT fresh, total - foreign_ - fresh, foreign_, coalesce(lines_[1 : 1000], '{}');
END $$;

-- What a linter said about a replacement: an event only when it found something.
CREATE FUNCTION replacement_linted(c integer, iss integer, z bytea, said text, at bigint, actor text, data text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    UPDATE replacement SET lint = said WHERE campaign = c AND issuer = iss AND serial = z AND lint IS NULL;
    IF FOUND AND said <> '' THEN
        PERFORM log_note(c, at, actor, 'lint', data);
    END IF;
END $$;

-- How fast each CA really is: certificates that were revoked lately, and the seconds that there was work for it. An
-- answer speaks for the time since its chunk was due, but at most for the time since its claim or two minutes before
-- it: what lies longer back was an outage, a pause or a wait for the canary. Tries that revoked nothing say nothing,
-- nor do those after a doubt, which wait by design. `good` and `doubtful` are outcomes.
CREATE FUNCTION measured(c integer, at bigint, good integer[], doubtful bytea)
RETURNS TABLE (ca smallint, certificates bigint, seconds bigint) LANGUAGE sql STABLE AS $$
    WITH recent AS (
        SELECT r.seq, e.at, r.page, r.chunk, r.epoch, r.outcomes, cardinality(r.offsets) AS n
          FROM (SELECT * FROM result WHERE campaign = c ORDER BY seq DESC LIMIT 400) r JOIN event e USING (campaign, seq)
         WHERE e.at > $2 - 10800 AND e.at <= $2
    ), bounded AS (
        SELECT * FROM (SELECT *, sum(n) OVER (ORDER BY seq DESC, chunk, page) - n AS newer FROM recent) x WHERE newer < 20000
    ), tries AS (
        SELECT h.ca, b.at,
               greatest(h.due_at, least(b.at - 120, CASE WHEN b.epoch = h.epoch THEN h.claimed_at END)) AS since,
               (SELECT count(*) FROM generate_series(0, b.n - 1) i WHERE get_byte(b.outcomes, i) = ANY (good)) AS done,
               coalesce(bool_or(position(doubtful IN b.outcomes) > 0)
                            OVER (PARTITION BY b.chunk ORDER BY b.seq, b.page ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
                        false) AS after_doubt
          FROM bounded b JOIN chunk h ON h.campaign = c AND h.chunk = b.chunk
    ), summed AS (
        SELECT ca, sum(done)::bigint AS certificates,
               range_agg(int8range(least(since, at), at)) FILTER (WHERE done > 0 AND NOT after_doubt) AS busy
          FROM tries GROUP BY ca
    )
    SELECT ca, certificates, (SELECT coalesce(sum(upper(x) - lower(x)), 0)::bigint FROM unnest(busy) x)
      FROM summed
$$;

-- When the work that is dealt ends, per running cohort and CA, if CA cas[i] goes on at certs[i] in secs[i]: each chunk
-- begins when it is due and the one before it is done.
CREATE FUNCTION pace(c integer, at bigint, cas smallint[], certs bigint[], secs bigint[])
RETURNS TABLE (cohort integer, ca smallint, remaining bigint, planned bigint, finish bigint) LANGUAGE sql STABLE AS $$
    WITH open AS (
        SELECT h.cohort, h.ca, h.chunk, h.due_at, cardinality(h.numbers)::bigint AS n, m.certs, m.secs
          FROM chunk h JOIN cohort o USING (campaign, cohort) JOIN unnest(cas, certs, secs) m(ca, certs, secs) ON m.ca = h.ca
         WHERE h.campaign = c AND h.state IN ('ready', 'claimed') AND o.started_at IS NOT NULL AND o.voided_at IS NULL
    ), counted AS (
        SELECT *, sum(n) OVER (PARTITION BY ca ORDER BY due_at, chunk)::bigint AS upto FROM open
    ), ended AS (
        SELECT cohort, ca, n, due_at, certs,
               max(greatest(due_at, $2) * certs - (upto - n) * secs) OVER (PARTITION BY ca ORDER BY due_at, chunk)
                   + upto * secs AS scaled
          FROM counted
    )
    SELECT cohort, ca, sum(n)::bigint, max(due_at), max((scaled + certs - 1) / certs) FROM ended GROUP BY cohort, ca
$$;

-- Certificates whose hour became earlier than what their subscriber was told last. plan: the one that moved them, and
-- the number of the message; until_at: so long their chunk waits for it.
CREATE TABLE moved (
    campaign integer NOT NULL,
    issuer integer NOT NULL,
    serial bytea NOT NULL,
    cohort integer NOT NULL,
    subscriber text NOT NULL,
    told_hour bigint NOT NULL,
    hour bigint NOT NULL,
    plan integer NOT NULL,
    until_at bigint NOT NULL,
    PRIMARY KEY (campaign, issuer, serial)
);

-- The plan whose hours were compared last with what people were told.
ALTER TABLE cohort ADD COLUMN moves_plan integer;

-- A notice is one row for ever (cohort, contact, kind, about), and so one Message-ID. about: the plan whose hours it
-- tells of, 0 for kinds that are told once.
ALTER TABLE notice ADD COLUMN about integer NOT NULL DEFAULT 0;
ALTER TABLE notice DROP CONSTRAINT notice_campaign_cohort_contact_kind_key;
ALTER TABLE notice ADD UNIQUE (campaign, cohort, contact, kind, about);
DROP FUNCTION notice_begin(integer, integer, text, bigint, text, bigint);
CREATE FUNCTION notice_begin(c integer, h integer, sub text, con bigint, k text, a integer, at bigint)
RETURNS TABLE (notice integer, first_at bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE n integer;
BEGIN
    PERFORM 1 FROM campaign g WHERE g.campaign = c FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT 1 FROM notice x WHERE x.campaign = c AND x.cohort = h AND x.contact = con AND x.kind = k
                      AND x.about = a) THEN
        SELECT coalesce(max(x.notice), 0) + 1 INTO n FROM notice x WHERE x.campaign = c;
        INSERT INTO notice (campaign, notice, cohort, subscriber, contact, kind, about, at) VALUES (c, n, h, sub, con, k, a, $7);
    END IF;
    RETURN QUERY SELECT x.notice, x.at FROM notice x
                  WHERE x.campaign = c AND x.cohort = h AND x.contact = con AND x.kind = k AND x.about = a;
END $$;

-- Per subscriber the plan that was in force when the last message with an hour left.
CREATE FUNCTION plans_told(c integer, k integer) RETURNS TABLE (subscriber text, plan integer) LANGUAGE sql STABLE AS $$
    SELECT y.subscriber, (SELECT max(q.plan) FROM plan q WHERE q.campaign = c AND q.cohort = k AND q.at <= y.at)
      FROM (SELECT n.subscriber, max(t.at) AS at FROM notice n JOIN notice_try t USING (campaign, notice)
             WHERE n.campaign = c AND n.cohort = k AND n.kind IN ('first', 'moved') AND t.outcome IN ('accepted', 'unknown')
             GROUP BY n.subscriber) y
$$;

-- Compares the plan of a cohort with what people were told, once a plan. Their chunks wait for the message five
-- minutes at most, and never longer than the plan has slack: a notice causes no miss. Returns how many moved.
CREATE FUNCTION plan_moves(c integer, k integer, at bigint, actor text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE p integer; n integer; subs integer; patience bigint;
BEGIN
    IF EXISTS (SELECT 1 FROM cohort WHERE campaign = c AND cohort = k AND plan IS NOT DISTINCT FROM moves_plan) THEN
        RETURN 0;
    END IF;
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    SELECT plan INTO p FROM cohort WHERE campaign = c AND cohort = k;
    UPDATE cohort SET moves_plan = p WHERE campaign = c AND cohort = k;
    CREATE TEMP TABLE IF NOT EXISTS moving (issuer integer, serial bytea, subscriber text, told_hour bigint, hour bigint)
        ON COMMIT DELETE ROWS;
    IF p IS NULL OR NOT EXISTS (SELECT 1 FROM plans_told(c, k)) THEN
        RETURN 0;
    END IF;
    SELECT CASE WHEN (summary::json ->> 'feasible')::boolean
                THEN greatest(0, least(300, coalesce((summary::json ->> 'slack_seconds')::bigint, 0))) ELSE 0 END
      INTO patience FROM plan WHERE campaign = c AND plan = p;
    INSERT INTO moving
    WITH fresh AS (
        SELECT x AS number, h.slot_start - h.slot_start % 3600 AS hour FROM chunk h, unnest(h.numbers) x
         WHERE h.campaign = c AND h.cohort = k AND h.plan = p AND h.state <> 'closed'
    ), told AS MATERIALIZED (
        SELECT * FROM plans_told(c, k) t WHERE t.plan < p
    ), before AS (
        SELECT DISTINCT ON (x) x AS number, y.issuer, y.serial, y.subscriber, h.slot_start - h.slot_start % 3600 AS hour
          FROM chunk h CROSS JOIN unnest(h.numbers) x
          JOIN member m ON m.campaign = c AND m.block = x / 250
          JOIN certificate y ON y.campaign = c AND y.id = m.ids[x % 250 + 1]
          JOIN told t ON t.subscriber = y.subscriber
         WHERE h.campaign = c AND h.cohort = k AND h.plan <= t.plan ORDER BY x, h.plan DESC, h.chunk DESC
    )
    SELECT b.issuer, b.serial, b.subscriber, b.hour, f.hour FROM fresh f JOIN before b USING (number) WHERE f.hour < b.hour;
    DELETE FROM moved m WHERE m.campaign = c AND m.cohort = k
       AND NOT EXISTS (SELECT 1 FROM moving g WHERE g.issuer = m.issuer AND g.serial = m.serial);
    INSERT INTO moved AS m SELECT c, g.issuer, g.serial, k, g.subscriber, g.told_hour, g.hour, p, plan_moves.at + patience FROM moving g
    ON CONFLICT (campaign, issuer, serial) DO UPDATE
       SET plan = excluded.plan, until_at = excluded.until_at, told_hour = excluded.told_hour, hour = excluded.hour
     WHERE (m.hour, m.told_hour) <> (excluded.hour, excluded.told_hour);
    SELECT count(*), count(DISTINCT subscriber) INTO n, subs FROM moving;
    DELETE FROM moving;
    IF n > 0 THEN
        PERFORM log_note(c, plan_moves.at, actor, 'moved',
                         format('{"certificates":%s,"cohort":%s,"plan":%s,"subscribers":%s}', n, k, p, subs));
    END IF;
    RETURN n;
END $$;

-- Chunks that wait until people who were moved earlier are told: the message was handed over or refused, or nobody
-- can be told.
CREATE FUNCTION moved_waiting(c integer, at bigint) RETURNS integer[] LANGUAGE plpgsql STABLE AS $$
DECLARE ns integer[];
BEGIN
    IF NOT EXISTS (SELECT 1 FROM moved m WHERE m.campaign = c AND m.until_at > at) THEN
        RETURN '{}';
    END IF;
    SELECT array_agg(y.number) INTO ns
      FROM moved m JOIN numbered y USING (campaign, issuer, serial)
     WHERE m.campaign = c AND m.until_at > at
       AND EXISTS (SELECT 1 FROM contact t WHERE t.subscriber = m.subscriber AND NOT t.address_bad)
       AND NOT EXISTS (SELECT 1 FROM notice n JOIN notice_try t USING (campaign, notice)
                        WHERE n.campaign = c AND n.cohort = m.cohort AND n.subscriber = m.subscriber AND n.kind = 'moved'
                          AND n.about >= m.plan AND t.outcome <> 'later');
    RETURN CASE WHEN ns IS NULL THEN '{}' ELSE ARRAY(SELECT chunks_of(c, ns)) END;
END $$;
