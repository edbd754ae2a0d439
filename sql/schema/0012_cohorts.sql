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
    CHECK (withdrawn = (dropped_in > 0)),
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

-- The staged certificates of an issuer that the campaign has; do they run on a clock that ends after `deadline`?
CREATE FUNCTION present_listed(c integer, iss integer, deadline bigint)
RETURNS TABLE (serial bytea, later boolean) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT k.serial, o.deadline > $3
                   FROM staging s JOIN certificate k ON k.campaign = c AND k.issuer = s.issuer AND k.serial = s.serial
                   JOIN cohort o ON o.campaign = c AND o.cohort = k.cohort
                  WHERE s.issuer = iss AND NOT k.withdrawn ORDER BY k.serial;
END $$;

-- Certificates of the inventory with the keys of the staged ones that are not staged themselves (BR 6.1.2).
CREATE FUNCTION keys_expand() RETURNS TABLE (issuer integer, serial bytea) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT v.issuer, v.serial
                   FROM inventory v
                   JOIN (SELECT DISTINCT w.spki_sha256 FROM staging s JOIN inventory w USING (issuer, serial)) k
                  USING (spki_sha256)
                  WHERE NOT EXISTS (SELECT 1 FROM staging s WHERE s.issuer = v.issuer AND s.serial = v.serial);
END $$;

-- Adds n certificates as rows that lie in the table that certificates_table() made in this transaction (`alone`), else in
-- the temporary table staging_certificate. They were made for cohort k, version v, ids from `base`; where another list
-- came between they are made again (MR040). seen: the inventory's stamp when its facts were read.
CREATE FUNCTION population_add(c integer, k integer, v integer, base integer, seen bigint, alone boolean, n bigint,
                               rule text, reason smallint, received bigint, deadline bigint, should_by bigint,
                               source text, author text, sha bytea, at bigint, lines bigint, accepted bigint,
                               duplicate bigint, rejected bigint, heuristic text, decision text,
                               shorts bigint[], longests bigint[], data text)
RETURNS TABLE (to_cohort integer, elsewhere bigint) LANGUAGE plpgsql AS $$
DECLARE w record;
BEGIN
    UPDATE campaign g SET short_from = shorts, short_longest = longests WHERE g.campaign = c;
    SELECT * INTO w FROM population_place(c, rule, received);
    IF (w.cohort, w.version, w.base) <> (k, v, base) THEN
        RAISE EXCEPTION 'another list came between' USING ERRCODE = 'MR040';
    END IF;
    UPDATE campaign g SET next_certificate = base + n, material = g.material + 1,
           inventory_seen = CASE WHEN base = 0 THEN seen ELSE least(g.inventory_seen, seen) END WHERE g.campaign = c;
    IF alone AND n > 0 THEN
        PERFORM certificates_attach(c);
    ELSIF alone THEN
        EXECUTE format('DROP TABLE %I', 'certificate_' || c);
    ELSE
        INSERT INTO certificate (campaign, issuer, serial, id, cohort, version, line, not_after, subscriber, shard, reason,
                                 needs, marks, known, excluded)
        SELECT s.campaign, s.issuer, s.serial, s.id, s.cohort, s.version, s.line, s.not_after, s.subscriber, s.shard, s.reason,
               s.needs, s.marks, s.known, s.excluded FROM staging_certificate s;
    END IF;
    IF n = 0 AND w.fresh THEN
        k := k - 1; -- nothing new: no cohort to wait for a plan
    ELSIF w.fresh THEN
        INSERT INTO cohort (campaign, cohort, rule, reason, received, deadline, should_by)
        VALUES (c, k, rule, reason, received, deadline, should_by);
        INSERT INTO clock VALUES (c, k, 'received', received, source, author, at);
    END IF;
    INSERT INTO population VALUES (c, v, k, source, author, sha, at, lines, accepted, duplicate, rejected, n, heuristic,
                                   decision);
    IF n > 0 THEN
        ANALYZE certificate; -- without statistics of a fresh list planning would compare every row with every row
        PERFORM requests_void(c, k, format('the list of cohort %s changed', k));
        PERFORM cohort_unplan(c, k);
    END IF;
    PERFORM log_note(c, at, author, 'import', data);
    RETURN QUERY SELECT k, population_elsewhere(c, v);
END $$;
