-- The certificates of a campaign lie in a table of their own (a partition), which the first list of the campaign fills
-- before anybody else sees it: no lock is held meanwhile, and it gets its indexes when it is full.
--
-- One row is one stay of a certificate in one cohort. dropped_in: the newest version when it was withdrawn, 0 while it
-- is not: of the rows of a certificate at most one is not withdrawn.
DROP VIEW numbered;
DROP VIEW affected;
ALTER TABLE certificate RENAME TO certificate_before;
ALTER TABLE certificate_before DROP CONSTRAINT certificate_pkey, DROP CONSTRAINT certificate_serial_check,
                               DROP CONSTRAINT certificate_excluded_check;
DROP INDEX certificate_id, certificate_not_after;
CREATE TABLE certificate (
    campaign integer NOT NULL,
    issuer integer NOT NULL,
    serial bytea NOT NULL CHECK (length(serial) BETWEEN 1 AND 20),
    id integer NOT NULL,
    cohort integer NOT NULL,
    version integer NOT NULL,
    line bigint NOT NULL,
    not_after bigint,
    subscriber text NOT NULL DEFAULT '',
    shard integer NOT NULL DEFAULT 0,
    dropped_in integer NOT NULL DEFAULT 0,
    reason smallint NOT NULL,
    needs smallint NOT NULL DEFAULT 0,
    marks smallint NOT NULL DEFAULT 0,
    known boolean NOT NULL DEFAULT false,
    withdrawn boolean NOT NULL DEFAULT false,
    replaced boolean NOT NULL DEFAULT false,
    excluded text CHECK (excluded IN ('expired_before_receipt', 'short_lived')),
    PRIMARY KEY (campaign, issuer, serial, dropped_in)
) PARTITION BY LIST (campaign);
CREATE UNIQUE INDEX certificate_id ON certificate (campaign, id);

-- A table for the first list of a campaign, without keys yet; false: the campaign has one already. Whoever makes it at the
-- same time waits for the other to end.
CREATE FUNCTION certificates_table(c integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(lock_class('import'), c);
    IF to_regclass('certificate_' || c) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE certificate INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CHECK (campaign = %s))',
                   'certificate_' || c, c);
    RETURN true;
END $$;

-- Keys for that table.
CREATE FUNCTION certificates_index(c integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('maintenance_work_mem', '256MB', true);
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (campaign, issuer, serial, dropped_in)', 'certificate_' || c);
    EXECUTE format('CREATE UNIQUE INDEX ON %I (campaign, id)', 'certificate_' || c);
END $$;

CREATE FUNCTION certificates_attach(c integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE certificate ATTACH PARTITION %I FOR VALUES IN (%s)', 'certificate_' || c, c);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', 'certificate_' || c, 'certificate_' || c || '_campaign_check');
END $$;

-- Both before anybody compares with the list as it was: a cohort keeps the certificates of its lists.
DO $$
DECLARE g record;
BEGIN
    FOR g IN SELECT DISTINCT campaign FROM certificate_before ORDER BY campaign LOOP
        PERFORM certificates_table(g.campaign);
        EXECUTE format('INSERT INTO %I (campaign, issuer, serial, id, cohort, version, line, not_after, subscriber, shard, '
                       'dropped_in, reason, needs, marks, known, withdrawn, replaced, excluded) '
                       'SELECT campaign, issuer, serial, id, cohort, version, line, not_after, subscriber, shard, '
                       'CASE WHEN withdrawn THEN greatest(coalesce(dropped_in, version), 1) ELSE 0 END, reason, needs, marks, '
                       'known, withdrawn, replaced, nullif(excluded, ''withdrawn'') FROM certificate_before '
                       'WHERE campaign = %s ORDER BY issuer, serial', 'certificate_' || g.campaign, g.campaign);
        PERFORM certificates_index(g.campaign);
        PERFORM certificates_attach(g.campaign);
    END LOOP;
END $$;
DROP TABLE certificate_before;
CREATE TRIGGER dropped BEFORE UPDATE OF withdrawn ON certificate
    FOR EACH ROW WHEN (NEW.withdrawn AND NOT OLD.withdrawn) EXECUTE FUNCTION certificate_dropped();

CREATE VIEW affected AS
SELECT k.campaign, k.issuer, k.serial, k.cohort, k.version, k.line, k.id, k.reason, k.known, k.subscriber, k.not_after,
       k.needs, k.excluded, k.withdrawn, k.replaced, k.shard, nullif(p.numbers[k.id % 250 + 1], -1) AS number
  FROM certificate k LEFT JOIN place p ON p.campaign = k.campaign AND p.block = k.id / 250;
-- A certificate as it is now: the stay that is not withdrawn, else the last one. For readers that start from its key.
CREATE VIEW current AS
    SELECT * FROM affected k
     WHERE NOT k.withdrawn
        OR NOT EXISTS (SELECT 1 FROM certificate o
                        WHERE o.campaign = k.campaign AND o.issuer = k.issuer AND o.serial = k.serial AND o.id > k.id);
CREATE VIEW numbered AS
    SELECT campaign, number, issuer, serial, cohort, subscriber FROM affected WHERE number IS NOT NULL;

-- ---- what expires ----

-- expires: no certificate of this page that is neither revoked nor settled has a notAfter before it; NULL: none has one.
-- Looking into a page makes it exact again.
ALTER TABLE page ADD COLUMN expires bigint;

-- The certificates of some pages that are neither revoked nor settled.
CREATE FUNCTION page_open(c integer, pages integer[])
RETURNS TABLE (page integer, number integer, state integer, not_after bigint) LANGUAGE sql STABLE AS $$
    SELECT x.page, x.number, x.state, k.not_after
      FROM (SELECT p.page, p.page * 1000 + o AS number, get_byte(p.states, o) & 15 AS state
              FROM page p CROSS JOIN generate_series(0, p.used - 1) o
             WHERE p.campaign = c AND p.page = ANY (pages) OFFSET 0) x
      JOIN member m ON m.campaign = c AND m.block = x.number / 250
      JOIN certificate k ON k.campaign = c AND k.id = m.ids[x.number % 250 + 1]
     WHERE x.state = ANY (ARRAY[state_code('waiting'), state_code('due'), state_code('asked'), state_code('doubt'),
                                state_code('needs_person'), state_code('held'), state_code('unknown')])
$$;

CREATE FUNCTION pages_look(c integer, pages integer[]) RETURNS void LANGUAGE sql AS $$
    UPDATE page p SET expires = x.first
      FROM unnest(pages) g LEFT JOIN (SELECT o.page, min(o.not_after) AS first FROM page_open(c, pages) o GROUP BY o.page) x
        ON x.page = g
     WHERE p.campaign = c AND p.page = g AND p.expires IS DISTINCT FROM x.first
$$;
SELECT pages_look(campaign, array_agg(page ORDER BY page)) FROM page GROUP BY campaign;

-- notAfter has passed for certificates that were not revoked: expired. Chunks, pages, log. Only pages are looked into
-- where the first could have expired.
CREATE OR REPLACE FUNCTION queue_expire(c integer, at bigint, actor text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    gs integer[]; ns integer[];
    s bigint;
    moved integer := 0;
    fit CONSTANT integer[] := ARRAY[state_code('waiting'), state_code('due'), state_code('held'),
                                    state_code('unknown'), state_code('needs_person')];
BEGIN
    SELECT array_agg(p.page ORDER BY p.page) INTO gs FROM page p
     WHERE p.campaign = c AND p.expires < at AND p.not_revoked + p.held + p.unknown > 0;
    IF gs IS NULL THEN RETURN 0; END IF;
    SELECT array_agg(o.number ORDER BY o.number) INTO ns FROM page_open(c, gs) o
     WHERE o.not_after < at AND o.state = ANY (fit);
    PERFORM chunks_lock(c, coalesce(ns, '{}'));
    PERFORM 1 FROM page p WHERE p.campaign = c AND p.page = ANY (gs) ORDER BY p.page FOR NO KEY UPDATE;
    IF ns IS NOT NULL THEN
        s := log_begin(c);
        moved := ledger_apply_where(c, s, ns, fit, event_code('expire'));
        PERFORM chunks_settle(c, ns);
        PERFORM log_end(c, s, at, actor, 'expire', format('{"certificates":%s}', moved));
    END IF;
    PERFORM pages_look(c, gs);
    RETURN moved;
END $$;

-- When the next certificate expires that could: from the pages in the order of what they promise, until none can be earlier.
CREATE OR REPLACE FUNCTION next_expiry(c integer) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    fit CONSTANT integer[] := ARRAY[state_code('waiting'), state_code('due'), state_code('held'),
                                    state_code('unknown'), state_code('needs_person')];
    p record; first bigint;
BEGIN
    FOR p IN SELECT g.page, g.expires FROM page g
              WHERE g.campaign = c AND g.expires IS NOT NULL AND g.not_revoked + g.held + g.unknown > 0 ORDER BY g.expires
    LOOP
        EXIT WHEN first <= p.expires;
        first := least(first, (SELECT min(o.not_after) FROM page_open(c, ARRAY[p.page]) o WHERE o.state = ANY (fit)));
    END LOOP;
    RETURN first;
END $$;

-- Pages and blocks of a cohort numbered anew, from the temporary tables staging_page, staging_member, staging_place.
CREATE OR REPLACE FUNCTION plan_number(c integer, k integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cohort_unplan(c, k);
    INSERT INTO page (campaign, page, cohort, issuer, states, needs, scope, used, not_revoked, expires)
    SELECT c, s.page, k, s.issuer, decode(repeat(lpad(to_hex(state_code('waiting')::integer), 2, '0'), length(s.needs)), 'hex'),
           s.needs, s.scope, length(s.needs), length(s.needs), s.expires FROM staging_page s;
    UPDATE campaign SET next_page = (SELECT max(page) + 1 FROM staging_page) WHERE campaign = c;
    INSERT INTO member SELECT c, s.block, s.ids FROM staging_member s;
    -- a block at either end may hold certificates of another cohort, whose numbers stay
    INSERT INTO place AS p SELECT c, s.block, s.numbers FROM staging_place s
        ON CONFLICT (campaign, block) DO UPDATE SET numbers = ARRAY(
           SELECT greatest(a, b) FROM unnest(p.numbers, excluded.numbers) WITH ORDINALITY u(a, b, i) ORDER BY i);
END $$;

-- ---- lists ----

CREATE OR REPLACE FUNCTION certificate_dropped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.dropped_in := greatest(NEW.version, (SELECT max(p.version) FROM population p WHERE p.campaign = NEW.campaign));
    RETURN NEW;
END $$;

DROP FUNCTION certificates_insert(integer, integer, integer, smallint, bigint, bigint[], bigint[], integer, bigint);
DROP FUNCTION staging_expand();
DROP FUNCTION population_add(integer, text, smallint, bigint, bigint, bigint, text, text, bytea, bigint, bigint, bigint, bigint,
                             bigint, text, text, boolean, bigint[], bigint[], text);

-- Where a list with this rule and receipt goes: its cohort (fresh: a new one; after the first start every addition is a cohort
-- of its own), its version, the id of its first certificate.
CREATE FUNCTION population_place(c integer, rule text, received bigint)
RETURNS TABLE (cohort integer, fresh boolean, version integer, base integer) LANGUAGE sql STABLE AS $$
    SELECT coalesce(x.k, (SELECT coalesce(max(o.cohort), 0) + 1 FROM cohort o WHERE o.campaign = c)), x.k IS NULL,
           (SELECT coalesce(max(p.version), 0) + 1 FROM population p WHERE p.campaign = c), g.next_certificate
      FROM campaign g
      LEFT JOIN (SELECT max(o.cohort) AS k FROM cohort o
                  WHERE o.campaign = c AND o.rule = $2 AND o.received = $3
                    AND NOT EXISTS (SELECT 1 FROM cohort x WHERE x.campaign = c AND x.started_at IS NOT NULL)) x ON true
     WHERE g.campaign = c
$$;

-- What the inventory says of the staged certificates of an issuer, along its key.
CREATE FUNCTION facts_listed(iss integer)
RETURNS TABLE (serial bytea, subscriber text, not_before bigint, not_after bigint, facts smallint, shard integer,
               sibling boolean) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT v.serial, v.subscriber, v.not_before, v.not_after, v.facts, v.shard, v.sibling
                   FROM staging s JOIN inventory v ON v.issuer = s.issuer AND v.serial = s.serial
                  WHERE s.issuer = iss ORDER BY v.serial;
END $$;

-- The staged certificates of an issuer that the campaign has; the id of those on a clock that ends after `deadline`, else -1.
CREATE FUNCTION present_listed(c integer, iss integer, deadline bigint)
RETURNS TABLE (serial bytea, later integer) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT k.serial, CASE WHEN o.deadline > $3 THEN k.id ELSE -1 END
                   FROM staging s JOIN certificate k ON k.campaign = c AND k.issuer = s.issuer AND k.serial = s.serial
                   JOIN cohort o ON o.campaign = c AND o.cohort = k.cohort
                  WHERE s.issuer = iss AND NOT k.withdrawn ORDER BY k.serial;
END $$;

CREATE INDEX inventory_cas ON inventory (issuer, serial) WHERE type = 'CA';

-- Certificates of the inventory with the keys of the staged ones that are not staged themselves (BR 6.1.2); CA certificates
-- only where the clause is about them.
CREATE FUNCTION keys_expand(take_ca boolean) RETURNS TABLE (issuer integer, serial bytea) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT v.issuer, v.serial
                   FROM inventory v
                   JOIN (SELECT DISTINCT w.spki_sha256 FROM staging s JOIN inventory w USING (issuer, serial)) k
                  USING (spki_sha256)
                  WHERE (take_ca OR v.type <> 'CA') AND NOT EXISTS (SELECT 1 FROM staging s WHERE s.issuer = v.issuer AND s.serial = v.serial);
END $$;

-- Certificates that go to an earlier clock the moment they prove not to be revoked: the CA was asked already. version: of
-- the list that named them there.
CREATE TABLE leaving (
    campaign integer NOT NULL,
    id integer NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (campaign, id)
);

-- Which of these stays can end now (the ledger has an edge for a drop, or they have no number yet), and which when their
-- state allows it. Cohorts that have not started lose their numbers. Chunks and pages of the others are locked.
CREATE FUNCTION stays_end(c integer, ids integer[], OUT now_ids integer[], OUT later_ids integer[], OUT numbers integer[])
LANGUAGE plpgsql AS $$
DECLARE k integer;
BEGIN
    FOR k IN SELECT DISTINCT o.cohort FROM certificate y JOIN cohort o USING (campaign, cohort)
              WHERE y.campaign = c AND y.id = ANY (ids) AND o.started_at IS NULL ORDER BY 1
    LOOP
        PERFORM requests_void(c, k, format('certificates of cohort %s went to an earlier clock', k));
        PERFORM cohort_unplan(c, k);
    END LOOP;
    SELECT array_agg(y.number ORDER BY y.number) INTO numbers FROM affected y
     WHERE y.campaign = c AND y.id = ANY (ids) AND y.number IS NOT NULL;
    PERFORM chunks_lock(c, coalesce(numbers, '{}'));
    PERFORM pages_lock(c, coalesce(numbers, '{}'));
    SELECT array_agg(y.id) FILTER (WHERE y.number IS NULL OR y.state IN (state_code('waiting'), state_code('due'),
                                       state_code('held'), state_code('unknown'), state_code('needs_person'))),
           array_agg(y.id) FILTER (WHERE y.state IN (state_code('asked'), state_code('doubt')))
      INTO now_ids, later_ids
      FROM (SELECT a.id, a.number, get_byte(p.states, a.number % 1000) & 15 AS state
              FROM affected a LEFT JOIN page p ON p.campaign = c AND p.page = a.number / 1000
             WHERE a.campaign = c AND a.id = ANY (ids) AND NOT a.withdrawn) y;
END $$;

-- Adds n certificates as rows that lie in the table that certificates_table() made in this transaction (`alone`), else in
-- the temporary table staging_certificate. They were made for cohort k, version v, ids from `base`; where another list
-- came between they are made again (MR040). seen: the inventory's stamp when its facts were read.
--
-- What the campaign has on a later clock (stands: its ids) is withdrawn there and added here, in this one transaction;
-- what the CA was asked about is noted, and goes when it proves not to be revoked; what is revoked stays.
CREATE FUNCTION population_add(c integer, k integer, v integer, base integer, seen bigint, alone boolean, n bigint,
                               stands integer[], rule text, reason smallint, received bigint, deadline bigint,
                               should_by bigint, source text, author text, sha bytea, at bigint, lines bigint,
                               accepted bigint, duplicate bigint, rejected bigint, heuristic text, decision text,
                               shorts bigint[], longests bigint[], data text)
RETURNS TABLE (to_cohort integer, added bigint, moved bigint, leaving bigint, elsewhere bigint) LANGUAGE plpgsql AS $$
DECLARE w record; e record; s bigint; taken bigint := n; top integer := base + n;
BEGIN
    UPDATE campaign g SET short_from = shorts, short_longest = longests WHERE g.campaign = c;
    SELECT * INTO w FROM population_place(c, rule, received);
    IF (w.cohort, w.version, w.base) <> (k, v, base) THEN
        RAISE EXCEPTION 'another list came between' USING ERRCODE = 'MR040';
    END IF;
    SELECT * INTO e FROM stays_end(c, stands);
    taken := n - cardinality(stands) + coalesce(cardinality(e.now_ids), 0);
    UPDATE campaign g SET next_certificate = top, material = g.material + 1,
           generation = g.generation + (cardinality(stands) > 0)::int,
           inventory_seen = CASE WHEN base = 0 THEN seen ELSE least(g.inventory_seen, seen) END WHERE g.campaign = c;
    IF taken = 0 AND coalesce(cardinality(e.later_ids), 0) = 0 AND w.fresh THEN
        k := k - 1; -- nothing new: no cohort to wait for a plan
    ELSIF w.fresh THEN
        INSERT INTO cohort (campaign, cohort, rule, reason, received, deadline, should_by)
        VALUES (c, k, rule, reason, received, deadline, should_by);
        INSERT INTO clock VALUES (c, k, 'received', received, source, author, at);
    END IF;
    INSERT INTO population VALUES (c, v, k, source, author, sha, at, lines, accepted, duplicate, rejected, taken, heuristic,
                                   decision);
    UPDATE certificate y SET withdrawn = true WHERE y.campaign = c AND y.id = ANY (e.now_ids);
    INSERT INTO leaving SELECT c, x, v FROM unnest(e.later_ids) x
        ON CONFLICT ON CONSTRAINT leaving_pkey DO UPDATE SET version = excluded.version;
    IF alone AND n > 0 THEN
        PERFORM certificates_attach(c);
    ELSIF alone THEN
        EXECUTE format('DROP TABLE %I', 'certificate_' || c);
    ELSE
        INSERT INTO certificate (campaign, issuer, serial, id, cohort, version, line, not_after, subscriber, shard, reason,
                                 needs, marks, known, excluded, replaced)
        SELECT g.campaign, g.issuer, g.serial, g.id, g.cohort, g.version, g.line, g.not_after, g.subscriber, g.shard, g.reason,
               g.needs, g.marks, g.known, g.excluded,
               EXISTS (SELECT 1 FROM replacement r WHERE r.campaign = c AND r.issuer = g.issuer AND r.serial = g.serial)
          FROM staging_certificate g WHERE g.stands IS NULL OR g.stands = ANY (e.now_ids);
    END IF;
    IF taken > 0 THEN
        -- without statistics of a fresh list planning would compare every row with every row; a coarse picture is enough
        PERFORM set_config('default_statistics_target', '20', true);
        ANALYZE certificate;
        PERFORM set_config('default_statistics_target', '100', true);
        PERFORM requests_void(c, k, format('the list of cohort %s changed', k));
        PERFORM cohort_unplan(c, k);
    END IF;
    s := log_begin(c);
    IF e.numbers IS NOT NULL THEN
        PERFORM ledger_apply(c, s, e.numbers, array_fill(event_code('drop'), ARRAY[cardinality(e.numbers)]));
        PERFORM chunks_settle(c, e.numbers);
    END IF;
    PERFORM log_end(c, s, at, author, 'import', data);
    RETURN QUERY SELECT k, taken, coalesce(cardinality(e.now_ids), 0)::bigint, coalesce(cardinality(e.later_ids), 0)::bigint,
                        population_elsewhere(c, v);
END $$;

-- What was noted as leaving and has proved not to be revoked is added to the earlier clock: to the cohort of its list, or,
-- when that has started, to a new one with the same clock. What is revoked stays. How many were added.
CREATE FUNCTION leaving_add(c integer, at bigint, actor text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE x record; o cohort%ROWTYPE; k integer; v integer; base integer; n bigint; total bigint := 0; started boolean;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM leaving l WHERE l.campaign = c) THEN
        RETURN 0;
    END IF;
    PERFORM 1 FROM campaign g WHERE g.campaign = c FOR NO KEY UPDATE;
    DELETE FROM leaving l USING affected y JOIN page p ON p.campaign = c AND p.page = y.number / 1000
     WHERE l.campaign = c AND y.campaign = c AND y.id = l.id AND NOT y.withdrawn
       AND get_byte(p.states, y.number % 1000) & 128 = 0; -- the note went with the answer that it is revoked
    FOR x IN SELECT l.version, array_agg(l.id ORDER BY l.id) AS ids FROM leaving l JOIN certificate y USING (campaign, id)
              WHERE l.campaign = c AND y.withdrawn GROUP BY l.version ORDER BY l.version
    LOOP
        SELECT h.* INTO o FROM population q JOIN cohort h USING (campaign, cohort) WHERE q.campaign = c AND q.version = x.version;
        SELECT max(h.cohort) INTO k FROM cohort h WHERE h.campaign = c AND h.started_at IS NULL
           AND (h.rule, h.received, h.deadline) = (o.rule, o.received, o.deadline);
        IF k IS NULL THEN
            SELECT max(h.cohort) + 1 INTO k FROM cohort h WHERE h.campaign = c;
            INSERT INTO cohort (campaign, cohort, rule, reason, received, deadline, should_by)
            VALUES (c, k, o.rule, o.reason, o.received, o.deadline, o.should_by);
            INSERT INTO clock SELECT c, k, 'received', o.received, q.source, actor, leaving_add.at FROM population q
                               WHERE q.campaign = c AND q.version = x.version;
        END IF;
        SELECT max(q.version) + 1 INTO v FROM population q WHERE q.campaign = c;
        n := cardinality(x.ids);
        UPDATE campaign g SET next_certificate = g.next_certificate + n, material = g.material + 1 WHERE g.campaign = c
            RETURNING g.next_certificate - n INTO base;
        INSERT INTO population
        SELECT c, v, k, format('version %s: found not revoked since', x.version), actor, q.sha256, leaving_add.at, n, n, 0, 0, n, '', ''
          FROM population q WHERE q.campaign = c AND q.version = x.version;
        INSERT INTO certificate (campaign, issuer, serial, id, cohort, version, line, not_after, subscriber, shard, reason,
                                 needs, marks, known, excluded, replaced)
        SELECT c, y.issuer, y.serial, base + u.nth - 1, k, v, y.line, y.not_after, y.subscriber, y.shard, o.reason, y.needs,
               y.marks, y.known, CASE WHEN y.not_after < o.received THEN 'expired_before_receipt' END, y.replaced
          FROM unnest(x.ids) WITH ORDINALITY u(id, nth) JOIN certificate y ON y.campaign = c AND y.id = u.id;
        DELETE FROM leaving l WHERE l.campaign = c AND l.id = ANY (x.ids);
        PERFORM requests_void(c, k, format('the list of cohort %s changed', k));
        PERFORM cohort_unplan(c, k);
        PERFORM log_note(c, leaving_add.at, actor, 'import',
                         format('{"accepted":%s,"cohort":%s,"of_version":%s,"version":%s}', n, k, x.version, v));
        total := total + n;
    END LOOP;
    RETURN total;
END $$;

-- Facts of the inventory for certificates of cohorts that have not started; how many changed. The campaign is locked.
CREATE OR REPLACE FUNCTION certificates_refresh(c integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint; seen bigint; longest bigint;
BEGIN
    SELECT coalesce(max(x), 0) INTO longest FROM campaign g, unnest(g.short_longest) x WHERE g.campaign = c;
    SELECT t.n INTO seen FROM stamp t WHERE t.what = 'inventory';
    UPDATE certificate k
       SET known = x.known, subscriber = x.subscriber, not_after = x.not_after, needs = x.needs, shard = x.shard,
           marks = x.marks, excluded = x.excluded
      FROM (SELECT j.campaign, j.id, v.serial IS NOT NULL AS known, coalesce(v.subscriber, '') AS subscriber,
                   v.not_after, needs_of(v.facts, i.crl) AS needs, coalesce(v.shard, shard_of('', i.crl)) AS shard,
                   marks_of(j.marks, v.serial IS NOT NULL, v.facts, v.sibling) AS marks,
                   CASE WHEN v.not_after < o.received THEN 'expired_before_receipt'
                        WHEN g.short_from IS NULL THEN nullif(j.excluded, 'expired_before_receipt')
                        WHEN coalesce(v.not_after - v.not_before, longest) < longest
                             AND is_short_lived(v.not_before, v.not_after, g.short_from, g.short_longest) THEN 'short_lived'
                   END AS excluded
              FROM certificate j
              JOIN campaign g ON g.campaign = j.campaign
              JOIN issuer i ON i.issuer = j.issuer
              JOIN cohort o ON o.campaign = j.campaign AND o.cohort = j.cohort
              LEFT JOIN inventory v ON v.issuer = j.issuer AND v.serial = j.serial
             WHERE j.campaign = c AND o.started_at IS NULL AND NOT j.withdrawn) x
     WHERE k.campaign = x.campaign AND k.id = x.id
       AND (k.known, k.subscriber, k.not_after, k.needs, k.shard, k.marks, k.excluded)
           IS DISTINCT FROM (x.known, x.subscriber, x.not_after, x.needs, x.shard, x.marks, x.excluded);
    GET DIAGNOSTICS n = ROW_COUNT;
    UPDATE campaign SET inventory_seen = seen, material = material + (n > 0)::int WHERE campaign = c;
    RETURN n;
END $$;

DROP FUNCTION staged_later(integer, bigint);

-- Drops certificates: those already recorded come back as too late; asked or doubtful ones are noted and go the
-- moment the state allows it. Returns per certificate what happened: withdrawn, noted, too_late, absent.
CREATE OR REPLACE FUNCTION act_drop(c integer, issuers integer[], serials bytea[], at bigint, actor text, data text)
RETURNS TABLE (place integer, verdict text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE s bigint; ns integer[];
BEGIN
    UPDATE campaign SET generation = generation + 1 WHERE campaign = c;
    SELECT array_agg(t.number ORDER BY t.number) INTO ns
      FROM unnest(issuers, serials) x(i, z) JOIN affected t ON t.campaign = c AND t.issuer = x.i AND t.serial = x.z
     WHERE t.number IS NOT NULL AND NOT t.withdrawn;
    PERFORM requests_void(c, o.cohort, format('certificates of cohort %s were dropped', o.cohort))
       FROM (SELECT DISTINCT t.cohort FROM unnest(issuers, serials) x(i, z)
               JOIN certificate t ON t.campaign = c AND t.issuer = x.i AND t.serial = x.z WHERE NOT t.withdrawn) o;
    DELETE FROM leaving l USING unnest(issuers, serials) x(i, z), certificate t
     WHERE l.campaign = c AND t.campaign = c AND t.issuer = x.i AND t.serial = x.z AND t.id = l.id;
    UPDATE certificate t SET withdrawn = true FROM unnest(issuers, serials) x(i, z)
     WHERE t.campaign = c AND t.issuer = x.i AND t.serial = x.z AND NOT t.withdrawn AND number_of(c, t.id) IS NULL;
    PERFORM chunks_lock(c, coalesce(ns, '{}'));
    PERFORM pages_lock(c, coalesce(ns, '{}'));
    s := log_begin(c);
    IF ns IS NOT NULL THEN
        PERFORM ledger_apply(c, s, ns, array_fill(event_code('drop'), ARRAY[cardinality(ns)]));
        PERFORM chunks_settle(c, ns);
    END IF;
    PERFORM log_end(c, s, at, actor, 'drop', data);
    RETURN QUERY
        SELECT x.n::integer, CASE WHEN t.serial IS NULL THEN 'absent' WHEN t.withdrawn THEN 'withdrawn'
                         WHEN get_byte(states_of(c, ARRAY[t.number]), 0) & 128 <> 0 THEN 'noted' ELSE 'too_late' END
          FROM unnest(issuers, serials) WITH ORDINALITY x(i, z, n)
          LEFT JOIN current t ON t.campaign = c AND t.issuer = x.i AND t.serial = x.z ORDER BY x.n;
END $$;

-- Numbers of a hold that are not released.
CREATE OR REPLACE FUNCTION hold_numbers(c integer, h integer) RETURNS integer[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(t.number ORDER BY t.number) FROM hold_item x JOIN affected t USING (campaign, issuer, serial)
     WHERE x.campaign = c AND x.hold = h AND NOT x.released AND t.number IS NOT NULL AND NOT t.withdrawn
$$;

-- Ends an active hold for these certificates (NULL: all); what another active hold names stays held.
CREATE OR REPLACE FUNCTION hold_release(c integer, h integer, issuers integer[], serials bytea[], at bigint, actor text, type text,
                             data text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE s bigint; ns integer[];
BEGIN
    UPDATE campaign SET generation = generation + 1 WHERE campaign = c;
    IF NOT EXISTS (SELECT 1 FROM hold WHERE campaign = c AND hold = h AND active) THEN
        RETURN 0;
    END IF;
    UPDATE hold_item x SET released = true
     WHERE x.campaign = c AND x.hold = h AND NOT x.released
       AND (issuers IS NULL OR EXISTS (SELECT 1 FROM unnest(issuers, serials) y(i, z) WHERE y.i = x.issuer AND y.z = x.serial));
    SELECT array_agg(t.number ORDER BY t.number) INTO ns
      FROM hold_item x JOIN affected t USING (campaign, issuer, serial)
     WHERE x.campaign = c AND x.hold = h AND x.released AND t.number IS NOT NULL AND NOT t.withdrawn
       AND (issuers IS NULL OR EXISTS (SELECT 1 FROM unnest(issuers, serials) y(i, z) WHERE y.i = x.issuer AND y.z = x.serial))
       AND NOT EXISTS (SELECT 1 FROM hold_item o JOIN hold g USING (campaign, hold)
                        WHERE o.campaign = c AND g.active AND NOT o.released AND o.issuer = x.issuer AND o.serial = x.serial);
    IF NOT EXISTS (SELECT 1 FROM hold_item x WHERE x.campaign = c AND x.hold = h AND NOT x.released) THEN
        UPDATE hold SET active = false, ended_at = hold_release.at WHERE campaign = c AND hold = h;
    END IF;
    ns := coalesce(ns, '{}');
    PERFORM chunks_lock(c, ns);
    PERFORM pages_lock(c, ns);
    s := log_begin(c);
    IF cardinality(ns) > 0 THEN
        PERFORM ledger_apply(c, s, ns, array_fill(event_code('release'), ARRAY[cardinality(ns)]));
        PERFORM chunks_settle(c, ns);
    END IF;
    PERFORM log_end(c, s, at, actor, type, data);
    RETURN cardinality(ns);
END $$;

-- Marks the certificates of temporary table staging_replacement(issuer, serial, line, replaced_at, replacement_serial,
-- sha256, file): the first row of each counts. One event, but none when a source read again brings nothing new
-- (`again`). in = accepted + duplicate + unknown + rejected.
CREATE OR REPLACE FUNCTION replacements_mark(c integer, at bigint, actor text, kind text, location text, query text, iss integer,
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
      FROM staging_replacement g LEFT JOIN current t ON t.campaign = c AND t.issuer = g.issuer AND t.serial = g.serial;
    INSERT INTO replacement
    SELECT DISTINCT ON (g.issuer, g.serial) c, g.issuer, g.serial, src, $2, g.replaced_at, g.replacement_serial, g.sha256, g.file,
           coalesce(o.plan, 0), CASE WHEN g.file = '' THEN '' END
      FROM staging_replacement g JOIN current t ON t.campaign = c AND t.issuer = g.issuer AND t.serial = g.serial
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

-- Chunks that wait until people who were moved earlier are told: the message was handed over or refused, or nobody
-- can be told.
CREATE OR REPLACE FUNCTION moved_waiting(c integer, at bigint) RETURNS integer[] LANGUAGE plpgsql STABLE AS $$
DECLARE ns integer[];
BEGIN
    IF NOT EXISTS (SELECT 1 FROM moved m WHERE m.campaign = c AND m.until_at > at) THEN
        RETURN '{}';
    END IF;
    SELECT array_agg(y.number) INTO ns
      FROM moved m JOIN numbered y USING (campaign, issuer, serial, cohort)
     WHERE m.campaign = c AND m.until_at > at
       AND EXISTS (SELECT 1 FROM contact t WHERE t.subscriber = m.subscriber AND NOT t.address_bad)
       AND NOT EXISTS (SELECT 1 FROM notice n JOIN notice_try t USING (campaign, notice)
                        WHERE n.campaign = c AND n.cohort = m.cohort AND n.subscriber = m.subscriber AND n.kind = 'moved'
                          AND n.about >= m.plan AND t.outcome <> 'later');
    RETURN CASE WHEN ns IS NULL THEN '{}' ELSE ARRAY(SELECT chunks_of(c, ns)) END;
END $$;

-- The staged list against the ledger. First a row with the totals, then at most `most` of what is in the list alone and
-- as many of what is in the ledger alone; what came by its key is not looked for in a list. The subscriber of what no ledger has
-- is looked up for the rows that are told alone: joined to the whole comparison, rows without a place in the list would
-- all meet in one bucket of the hash.
CREATE OR REPLACE FUNCTION population_reconcile(c integer, most bigint)
RETURNS TABLE (same bigint, added bigint, dropped bigint, is_added boolean, issuer integer, serial bytea, excluded text,
               withdrawn boolean, state integer, subscriber text, version integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH d AS MATERIALIZED (
        SELECT coalesce(s.issuer, k.issuer) AS issuer, coalesce(s.serial, k.serial) AS serial, s.serial IS NOT NULL AS listed,
               k.serial IS NOT NULL AND NOT k.withdrawn AS held, k.marks & 4 <> 0 AS by_key, k.excluded, k.withdrawn, k.id,
               k.subscriber, coalesce(k.version, 0) AS version
          FROM staging s FULL JOIN (SELECT * FROM certificate t
                               WHERE t.campaign = c
                                 AND (NOT t.withdrawn
                                      OR NOT EXISTS (SELECT 1 FROM certificate o WHERE o.campaign = c AND o.issuer = t.issuer
                                                        AND o.serial = t.serial AND o.id > t.id))) k
            ON k.issuer = s.issuer AND k.serial = s.serial
    ), apart AS MATERIALIZED (
        (SELECT * FROM d WHERE listed AND NOT held ORDER BY issuer, serial LIMIT most)
        UNION ALL
        (SELECT * FROM d WHERE held AND NOT listed AND NOT by_key ORDER BY issuer, serial LIMIT most)
    )
    SELECT count(*) FILTER (WHERE listed AND held), count(*) FILTER (WHERE listed AND NOT held),
           count(*) FILTER (WHERE held AND NOT listed AND NOT by_key), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM d
    UNION ALL
    (SELECT NULL, NULL, NULL, a.listed, a.issuer, a.serial, a.excluded, a.withdrawn, certificate_state(c, a.id),
           coalesce(a.subscriber, v.subscriber, ''), a.version
      FROM apart a LEFT JOIN inventory v ON v.issuer = a.issuer AND v.serial = a.serial
     ORDER BY a.listed DESC, a.issuer, a.serial);
END $$;

-- What came and went after a version, in the same form; same: what was there and still is, be it in another cohort.
CREATE OR REPLACE FUNCTION population_since(c integer, since integer, most bigint)
RETURNS TABLE (same bigint, added bigint, dropped bigint, is_added boolean, issuer integer, serial bytea, excluded text,
               withdrawn boolean, state integer, subscriber text, version integer) LANGUAGE sql STABLE AS $$
    WITH gone AS MATERIALIZED (
        SELECT * FROM certificate k WHERE k.campaign = c AND k.version <= since AND k.withdrawn AND k.dropped_in >= since
    ), back AS MATERIALIZED (
        SELECT k.id, g.id AS was FROM gone g JOIN certificate k ON k.campaign = c AND k.issuer = g.issuer AND k.serial = g.serial
         WHERE NOT k.withdrawn
    ), apart AS (
        (SELECT true AS came, k.* FROM certificate k
          WHERE k.campaign = c AND k.version > since AND NOT k.withdrawn AND k.id NOT IN (SELECT id FROM back)
          ORDER BY k.issuer, k.serial LIMIT most)
        UNION ALL
        (SELECT false, g.* FROM gone g WHERE g.id NOT IN (SELECT was FROM back) ORDER BY g.issuer, g.serial LIMIT most)
    )
    SELECT count(*) FILTER (WHERE k.version <= since AND NOT k.withdrawn) + (SELECT count(*) FROM back),
           count(*) FILTER (WHERE k.version > since AND NOT k.withdrawn) - (SELECT count(*) FROM back),
           (SELECT count(*) FROM gone) - (SELECT count(*) FROM back),
           NULL::boolean, NULL::integer, NULL::bytea, NULL, NULL::boolean, NULL::integer, NULL, NULL::integer
      FROM certificate k WHERE k.campaign = c
    UNION ALL
    SELECT NULL, NULL, NULL, a.came, a.issuer, a.serial, a.excluded, a.withdrawn, certificate_state(c, a.id),
           a.subscriber, a.version
      FROM apart a
$$;
