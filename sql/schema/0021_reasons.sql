-- When the keys of a cohort were compromised, as far as known: the date of its entries (BR 7.2.2 asks for it with
-- keyCompromise). What engines send is the date in the request that was signed, never this column.
ALTER TABLE cohort ADD COLUMN compromised_at bigint;

CREATE FUNCTION cohort_compromised(c integer, k integer, compromised bigint, at bigint, actor text, data text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    UPDATE cohort o SET compromised_at = compromised WHERE o.campaign = c AND o.cohort = k AND o.started_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'cohort % has started: its dates are approved', k USING ERRCODE = 'MR006';
    END IF;
    PERFORM requests_void(c, k, format('the date of the compromise of cohort %s changed', k));
    PERFORM log_note(c, at, actor, 'compromised', data);
END $$;

-- ---- another reason for what is revoked already ----

ALTER TABLE request DROP CONSTRAINT request_what_check;
ALTER TABLE request ADD CONSTRAINT request_what_check
    CHECK (what IN ('plan', 'hold', 'release', 'clock', 'rule', 'reason'));

-- A change of reasons is an act of its own, beside the ledger: the certificates stay revoked meanwhile, so no state of
-- theirs moves and no count does. It binds when its request is approved (bound_at). compromised_at NULL: the date of
-- each entry stays. elsewhere: the CA's administrator makes it, for the backend can't; we only look at what comes out.
CREATE TABLE reason_change (
    campaign integer NOT NULL,
    change integer NOT NULL,
    reason smallint NOT NULL,
    compromised_at bigint,
    elsewhere boolean NOT NULL,
    why text NOT NULL,
    author text NOT NULL,
    at bigint NOT NULL,
    bound_at bigint,
    PRIMARY KEY (campaign, change)
);

-- One certificate of it. waits: to be sent; asked: the intent is durable, by `engine` since asked_at; changed: the CA
-- says so; elsewhere: with the administrator; shown: in what is published; person: the CA did not do it.
CREATE TABLE reason_item (
    campaign integer NOT NULL,
    change integer NOT NULL,
    number integer NOT NULL,
    issuer integer NOT NULL,
    serial bytea NOT NULL CHECK (length(serial) BETWEEN 1 AND 20),
    old_reason smallint NOT NULL,
    old_at bigint,
    state text NOT NULL DEFAULT 'waits' CHECK (state IN ('waits', 'asked', 'changed', 'elsewhere', 'shown', 'person')),
    engine integer,
    asked_at bigint,
    settled_at bigint,
    said text NOT NULL DEFAULT '',
    PRIMARY KEY (campaign, change, number),
    CHECK ((state = 'asked') = (engine IS NOT NULL))
);
CREATE INDEX reason_item_number ON reason_item (campaign, number, change);

-- What happened to certificates of a change, append-only: asked, an outcome of the CA, or shown.
CREATE TABLE reason_fact (
    campaign integer NOT NULL,
    seq bigint NOT NULL,
    change integer NOT NULL,
    word text NOT NULL,
    numbers integer[] NOT NULL,
    ca_at bigint[] NOT NULL,
    ca_reasons smallint[] NOT NULL,
    PRIMARY KEY (campaign, seq, change, word)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reason_fact
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Texts of lists as array_to_string(list, ',') makes them, a number at a time. Most lists are a piece of a page's offsets,
-- or one value again and again, and need not be.
CREATE FUNCTION page_offsets_text() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT array_to_string(page_offsets(), ',') || ',' $$;
CREATE FUNCTION offsets_text(offsets smallint[]) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    every CONSTANT smallint[] := page_offsets();
    words CONSTANT text := page_offsets_text();
    a CONSTANT integer := offsets[1];
    b CONSTANT integer := a + cardinality(offsets);
    from_a CONSTANT integer := CASE WHEN a < 10 THEN 2 * a WHEN a < 100 THEN 3 * a - 10 ELSE 4 * a - 110 END;
    to_b CONSTANT integer := CASE WHEN b < 10 THEN 2 * b WHEN b < 100 THEN 3 * b - 10 ELSE 4 * b - 110 END;
BEGIN
    RETURN CASE WHEN offsets = every[a + 1 : b] THEN substr(words, from_a + 1, to_b - from_a - 1) ELSE array_to_string(offsets, ',') END;
END $$;
CREATE FUNCTION list_text(list anyarray) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE n CONSTANT integer := cardinality(list);
BEGIN
    RETURN CASE WHEN n > 1 AND list = array_fill(list[1], ARRAY[n]) THEN rtrim(repeat(list[1] || ',', n), ',') ELSE array_to_string(list, ',') END;
END $$;

-- The fact rows of one event but for the tries of notices, which only events of type `notices` have: an engine that may not
-- read whom the campaign tells (sql/role/executor.sql) writes all others.
CREATE FUNCTION ledger_rows(c integer, s bigint) RETURNS TABLE (key text, body text) LANGUAGE sql STABLE AS $$
    SELECT format('change/%s/%s', page, step),
           format('{"afters":"%s","befores":"%s","events":"%s","offsets":[%s],"page":%s,"seq":%s,"step":%s,"table":"change"}',
                  encode(afters, 'hex'), encode(befores, 'hex'), encode(events, 'hex'),
                  offsets_text(offsets), page, seq, step)
      FROM change WHERE campaign = c AND seq = s
    UNION ALL
    SELECT format('result/%s/%s/%s', page, chunk, epoch),
           format('{"ca_at":[%s],"ca_reasons":[%s],"chunk":%s,"epoch":%s,"offsets":[%s],"outcomes":"%s","page":%s,"plan":%s,"seq":%s,"table":"result"}',
                  list_text(ca_at), list_text(ca_reasons), chunk, epoch, offsets_text(offsets), encode(outcomes, 'hex'), page, plan, seq)
      FROM result WHERE campaign = c AND seq = s
    UNION ALL
    SELECT format('sighting/%s/%s', page, g.object),
           format('{"missing":"%s","object":%s,"object_sha256":"%s","page":%s,"seen":"%s","seq":%s,"table":"sighting"}',
                  encode(missing, 'hex'), g.object, encode(o.sha256, 'hex'), page, encode(seen, 'hex'), seq)
      FROM sighting g LEFT JOIN object o ON o.campaign = g.campaign AND o.object = g.object
     WHERE g.campaign = c AND seq = s
    UNION ALL
    SELECT format('reason_fact/%s/%s', change, word),
           format('{"ca_at":[%s],"ca_reasons":[%s],"change":%s,"numbers":[%s],"seq":%s,"table":"reason_fact","word":"%s"}',
                  array_to_string(ca_at, ','), array_to_string(ca_reasons, ','), change, array_to_string(numbers, ','),
                  seq, word)
      FROM reason_fact WHERE campaign = c AND seq = s
$$;

-- Not for the planner to look into: what is not called is not asked for its rights.
CREATE FUNCTION notice_rows(c integer, s bigint) RETURNS TABLE (key text, body text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
        SELECT format('notice_try/%s/%s', notice, attempt),
               format('{"at":%s,"attempt":%s,"notice":%s,"outcome":"%s","seq":%s,"table":"notice_try","text_sha256":"%s"}',
                      at, attempt, notice, outcome, seq, encode(sha256(convert_to(text, 'UTF8')), 'hex'))
          FROM notice_try WHERE campaign = c AND seq = s;
END $$;

CREATE OR REPLACE FUNCTION fact_rows(c integer, s bigint) RETURNS TABLE (key text, body text) LANGUAGE sql STABLE AS $$
    SELECT * FROM ledger_rows(c, s) UNION ALL SELECT * FROM notice_rows(c, s)
$$;

-- Per number the newest bound change that names it: what its entry must say (reason), what it may still say in a CRL made
-- before `until` (old_reason), the date it must bear (dated, NULL: none is known), whether the CA said that it is done,
-- and whether it is yet to be seen.
CREATE FUNCTION reasons_now(c integer)
RETURNS TABLE (number integer, reason smallint, old_reason smallint, until bigint, dated bigint, done boolean, open boolean)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (i.number) i.number, h.reason, i.old_reason,
           CASE i.state WHEN 'shown' THEN NULL WHEN 'changed' THEN i.settled_at ELSE 9223372036854775807 END,
           h.compromised_at, i.state IN ('changed', 'shown'), i.state NOT IN ('shown', 'person')
      FROM reason_item i JOIN reason_change h USING (campaign, change)
     WHERE i.campaign = c AND h.bound_at IS NOT NULL ORDER BY i.number, i.change DESC
$$;

-- Certificates as they are now, for a change: their state, the reason and date that the CA told or, where it did not, that
-- was asked for, and the bound change (NULL: none) that is not over yet.
CREATE FUNCTION reason_look(c integer, issuers integer[], serials bytea[])
RETURNS TABLE (place integer, number integer, state integer, reason integer, told bigint, busy integer) LANGUAGE sql STABLE AS $$
    SELECT x.n::integer, k.number, get_byte(p.states, k.number % 1000) & 15,
           coalesce(n.reason, r.reason, k.reason)::integer, coalesce(n.dated, r.at),
           (SELECT max(i.change) FROM reason_item i JOIN reason_change h USING (campaign, change)
             WHERE i.campaign = c AND i.number = k.number AND h.bound_at IS NOT NULL AND i.state NOT IN ('shown', 'person'))
      FROM unnest(issuers, serials) WITH ORDINALITY x(i, z, n)
      LEFT JOIN current k ON k.campaign = c AND k.issuer = x.i AND k.serial = x.z
      LEFT JOIN page p ON p.campaign = c AND p.page = k.number / 1000
      LEFT JOIN reasons_now(c) n ON n.number = k.number AND n.done
      LEFT JOIN LATERAL (
            SELECT nullif(f.ca_reasons[y.i], -1) AS reason, nullif(f.ca_at[y.i], 0) AS at
              FROM result f CROSS JOIN LATERAL (SELECT array_position(f.offsets, (k.number % 1000)::smallint) AS i) y
             WHERE f.campaign = c AND f.page = k.number / 1000 AND y.i IS NOT NULL
             ORDER BY f.seq DESC LIMIT 1) r ON true
     ORDER BY x.n
$$;

CREATE FUNCTION reason_propose(c integer, reason smallint, compromised bigint, elsewhere boolean, why text, numbers integer[],
                               issuers integer[], serials bytea[], old_reasons smallint[], old_ats bigint[], at bigint,
                               actor text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE n integer;
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    SELECT coalesce(max(change), 0) + 1 INTO n FROM reason_change WHERE campaign = c;
    INSERT INTO reason_change VALUES (c, n, reason, compromised, elsewhere, why, actor, at, NULL);
    INSERT INTO reason_item (campaign, change, number, issuer, serial, old_reason, old_at)
    SELECT c, n, x, i, z, r, nullif(a, 0) FROM unnest(numbers, issuers, serials, old_reasons, old_ats) u(x, i, z, r, a)
        ON CONFLICT DO NOTHING;
    RETURN n;
END $$;

-- Approved: it binds, once. Two changes of one certificate never run at a time.
CREATE FUNCTION reason_bind(c integer, n integer, at bigint, actor text, data text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE other integer;
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    SELECT max(o.change) INTO other FROM reason_item i JOIN reason_item o USING (campaign, number)
      JOIN reason_change h ON h.campaign = c AND h.change = o.change
     WHERE i.campaign = c AND i.change = n AND o.change <> n AND h.bound_at IS NOT NULL AND o.state NOT IN ('shown', 'person');
    IF other IS NOT NULL THEN
        RAISE EXCEPTION 'change % of reasons names the same certificates and is not over', other USING ERRCODE = 'MR006';
    END IF;
    UPDATE reason_change h SET bound_at = reason_bind.at WHERE h.campaign = c AND h.change = n AND h.bound_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE reason_item i SET state = 'elsewhere' FROM reason_change h
     WHERE i.campaign = c AND i.change = n AND h.campaign = c AND h.change = n AND h.elsewhere;
    PERFORM log_note(c, at, actor, 'reason_bound', data);
END $$;

-- Facts of some certificates: one row per change and word.
CREATE FUNCTION reason_facts(c integer, s bigint, changes integer[], numbers integer[], words text[], ats bigint[],
                             reasons smallint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO reason_fact
    SELECT c, s, h, w, array_agg(n ORDER BY n), array_agg(a ORDER BY n), array_agg(r ORDER BY n)
      FROM unnest(changes, numbers, words, ats, reasons) u(h, n, w, a, r) GROUP BY h, w
$$;

-- Claims certificates of these changes and issuers for engine `e`: what waits, and what was asked so long ago (`quiet`
-- seconds) by this engine or a dead one that no such request can still be executed; asking again changes nothing that was
-- done. The commit is the durable intent.
CREATE FUNCTION reason_claim(c integer, e integer, allowed integer[], issuers integer[], quiet bigint, at bigint, actor text,
                             most integer)
RETURNS TABLE (change integer, number integer, issuer integer, serial bytea) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE r record; s bigint; hs integer[] := '{}'; ns integer[] := '{}';
BEGIN
    PERFORM 1 FROM campaign g WHERE g.campaign = c AND NOT g.paused_revoke AND g.closed_at IS NULL;
    IF NOT FOUND THEN RETURN; END IF;
    FOR r IN SELECT i.change, i.number FROM reason_item i
              WHERE i.campaign = c AND i.change = ANY (allowed) AND i.issuer = ANY (issuers)
                AND (i.state = 'waits' OR (i.state = 'asked' AND i.asked_at + quiet <= at
                                           AND (i.engine = e OR engine_is_dead(i.engine))))
              ORDER BY i.change, i.number LIMIT most FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        hs := hs || r.change; ns := ns || r.number;
    END LOOP;
    IF cardinality(ns) = 0 THEN RETURN; END IF;
    UPDATE reason_item i SET state = 'asked', engine = e, asked_at = at
      FROM unnest(hs, ns) u(h, n) WHERE i.campaign = c AND i.change = h AND i.number = n;
    s := log_begin(c);
    PERFORM reason_facts(c, s, hs, ns, array_fill('asked'::text, ARRAY[cardinality(ns)]),
                         array_fill(0::bigint, ARRAY[cardinality(ns)]), array_fill((-1)::smallint, ARRAY[cardinality(ns)]));
    PERFORM log_end(c, s, at, actor, 'reason_asked', format('{"certificates":%s,"engine":%s}', cardinality(ns), e));
    RETURN QUERY SELECT i.change, i.number, i.issuer, i.serial FROM reason_item i JOIN unnest(hs, ns) u(h, n)
                     ON i.campaign = c AND i.change = h AND i.number = n ORDER BY 1, 2;
END $$;

-- Commits what the CA answered: changed or already (it is as wanted), wait (nothing was done: it waits again), ask (nobody
-- knows: it stays asked), anything else is a person's. What is as wanted is believed from anybody.
CREATE FUNCTION reason_settle(c integer, e integer, changes integer[], numbers integer[], words text[], ats bigint[],
                              reasons smallint[], texts text[], at bigint, actor text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE s bigint; summary text;
BEGIN
    PERFORM 1 FROM reason_item i JOIN unnest(changes, numbers) u(h, n) ON i.campaign = c AND i.change = h AND i.number = n
      ORDER BY i.change, i.number FOR NO KEY UPDATE OF i;
    UPDATE reason_item i
       SET state = CASE WHEN w IN ('changed', 'already') THEN 'changed' WHEN w = 'wait' THEN 'waits'
                        WHEN w = 'ask' THEN 'asked' ELSE 'person' END,
           engine = CASE WHEN w = 'ask' THEN i.engine END, settled_at = reason_settle.at, said = t
      FROM unnest(changes, numbers, words, texts) u(h, n, w, t)
     WHERE i.campaign = c AND i.change = h AND i.number = n
       AND (i.state = 'asked' AND i.engine = e OR w IN ('changed', 'already') AND i.state IN ('waits', 'asked', 'person'));
    SELECT string_agg(format('"%s":%s', w, x), ',' ORDER BY w COLLATE "C") INTO summary
      FROM (SELECT w, count(*) AS x FROM unnest(words) w GROUP BY w) y;
    s := log_begin(c);
    PERFORM reason_facts(c, s, changes, numbers, words, ats, reasons);
    PERFORM log_end(c, s, at, actor, 'reason_answers', format('{"answers":{%s}}', summary));
END $$;

-- Published objects show these as their newest change wants them.
CREATE FUNCTION reason_shown(c integer, numbers integer[], ats bigint[], sha bytea, at bigint, actor text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE s bigint; hs integer[]; ns integer[]; ds bigint[]; rs smallint[];
BEGIN
    WITH seen AS (
        UPDATE reason_item i SET state = 'shown', engine = NULL, settled_at = reason_shown.at
          FROM unnest(numbers, ats) u(n, a), reason_change h
         WHERE i.campaign = c AND i.number = n AND i.state NOT IN ('shown', 'person') AND h.campaign = c AND h.change = i.change
           AND h.bound_at IS NOT NULL
        RETURNING i.change, i.number, a, h.reason)
    SELECT array_agg(change ORDER BY change, number), array_agg(number ORDER BY change, number),
           array_agg(a ORDER BY change, number), array_agg(reason ORDER BY change, number) INTO hs, ns, ds, rs FROM seen;
    IF ns IS NULL THEN
        RETURN 0;
    END IF;
    s := log_begin(c);
    PERFORM reason_facts(c, s, hs, ns, array_fill('shown'::text, ARRAY[cardinality(ns)]), ds, rs);
    PERFORM log_end(c, s, at, actor, 'reason_shown',
                    format('{"certificates":%s,"sha256":"%s"}', cardinality(ns), encode(sha, 'hex')));
    RETURN cardinality(ns);
END $$;
