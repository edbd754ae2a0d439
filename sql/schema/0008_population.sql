-- Lists of affected certificates and the inventory, in bulk. The program copies rows, sorted by issuer and serial, each
-- once, into a temporary table of its session; one function call moves them.
--
-- What the inventory says of a certificate is found by one pass over its key: a list of a million is joined without
-- touching the rows themselves. facts: 1 names a CRL, 2 names a responder, 4 known by its precertificate only.
-- shard: shard_of() its CRL, NULL without. sibling: another certificate of the inventory has the same names.
ALTER TABLE inventory
    ADD COLUMN facts smallint NOT NULL GENERATED ALWAYS AS (
        ((cdp <> '')::int + 2 * (ocsp <> '')::int
         + 4 * (cert_sha256 IS NULL AND precert_sha256 IS NOT NULL)::int)::smallint) STORED,
    ADD COLUMN shard integer GENERATED ALWAYS AS (CASE WHEN cdp <> '' THEN shard_of(cdp, '') END) STORED,
    ADD COLUMN sibling boolean NOT NULL DEFAULT false;
ALTER TABLE inventory DISABLE TRIGGER stamped; -- no plan looks at siblings
UPDATE inventory SET sibling = true WHERE dns_names <> ''
   AND dns_names IN (SELECT dns_names FROM inventory GROUP BY dns_names HAVING count(*) > 1);
ALTER TABLE inventory ENABLE TRIGGER stamped;
ALTER TABLE inventory DROP CONSTRAINT inventory_pkey,
    ADD PRIMARY KEY (issuer, serial) INCLUDE (subscriber, not_before, not_after, facts, shard, sibling);

ALTER TABLE population ADD COLUMN heuristic text NOT NULL DEFAULT '', ADD COLUMN decision text NOT NULL DEFAULT '';

-- The dated rows of the short-lived rule as they were at the last import; NULL: never recorded.
ALTER TABLE campaign ADD COLUMN short_from bigint[], ADD COLUMN short_longest bigint[];

-- marks: 1 in no inventory and never supplied itself, 2 known by its precertificate only, 4 came by its key, 8 shares its
-- names with another, 16 listed by its hash or supplied itself. dropped_in: the newest version when it was withdrawn.
ALTER TABLE certificate ADD COLUMN marks smallint NOT NULL DEFAULT 0, ADD COLUMN dropped_in integer;
UPDATE certificate k SET dropped_in = (SELECT max(p.version) FROM population p WHERE p.campaign = k.campaign) WHERE withdrawn;

CREATE FUNCTION certificate_dropped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.dropped_in := (SELECT max(p.version) FROM population p WHERE p.campaign = NEW.campaign);
    RETURN NEW;
END $$;
CREATE TRIGGER dropped BEFORE UPDATE OF withdrawn ON certificate
    FOR EACH ROW WHEN (NEW.withdrawn AND NOT OLD.withdrawn) EXECUTE FUNCTION certificate_dropped();

-- needs: 1 CRL, 2 OCSP. A certificate without any pointer is proved from the CRL configured for its issuer.
CREATE FUNCTION needs_of(facts smallint, crl text) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
    SELECT (CASE WHEN coalesce(facts, 0::smallint) & 3 <> 0 THEN facts & 3 ELSE (crl <> '')::int END)::smallint
$$;

CREATE FUNCTION marks_of(given integer, known boolean, facts smallint, sibling boolean) RETURNS smallint
LANGUAGE sql IMMUTABLE AS $$
    SELECT ((given & 20) | (NOT known AND given & 16 = 0)::int | (coalesce(facts, 0::smallint) & 4) / 2
            | 8 * coalesce(sibling, false)::int)::smallint
$$;

UPDATE certificate k SET marks = marks_of(0, v.serial IS NOT NULL, v.facts, v.sibling)
  FROM certificate j LEFT JOIN inventory v ON v.issuer = j.issuer AND v.serial = j.serial
 WHERE k.campaign = j.campaign AND k.issuer = j.issuer AND k.serial = j.serial;

-- Short-lived (BR 1.6.1): the last row whose date is not after the issuance decides; both ends count (BR 6.3.2).
CREATE FUNCTION is_short_lived(not_before bigint, not_after bigint, froms bigint[], longests bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT not_before <= not_after AND coalesce((SELECT not_after - not_before < longest
                                                   FROM unnest(froms, longests) x(since, longest)
                                                  WHERE since <= not_before ORDER BY since DESC LIMIT 1), false)
$$;

DROP FUNCTION short_exclude(integer, integer, bytea);
DROP FUNCTION certificates_refresh(integer);

-- Facts of the inventory for certificates of cohorts that have not started; how many changed. The campaign is locked.
CREATE FUNCTION certificates_refresh(c integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint; seen bigint; longest bigint;
BEGIN
    SELECT coalesce(max(x), 0) INTO longest FROM campaign g, unnest(g.short_longest) x WHERE g.campaign = c;
    SELECT t.n INTO seen FROM stamp t WHERE t.what = 'inventory';
    UPDATE certificate k
       SET known = x.known, subscriber = x.subscriber, not_after = x.not_after, needs = x.needs, shard = x.shard,
           marks = x.marks, excluded = x.excluded
      FROM (SELECT j.campaign, j.issuer, j.serial, v.serial IS NOT NULL AS known, coalesce(v.subscriber, '') AS subscriber,
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
             WHERE j.campaign = c AND o.started_at IS NULL) x
     WHERE k.campaign = x.campaign AND k.issuer = x.issuer AND k.serial = x.serial
       AND (k.known, k.subscriber, k.not_after, k.needs, k.shard, k.marks, k.excluded)
           IS DISTINCT FROM (x.known, x.subscriber, x.not_after, x.needs, x.shard, x.marks, x.excluded);
    GET DIAGNOSTICS n = ROW_COUNT;
    UPDATE campaign SET inventory_seen = seen, material = material + (n > 0)::int WHERE campaign = c;
    RETURN n;
END $$;

-- Adds the other certificates with the keys of the staged list to it (BR 6.1.2).
CREATE FUNCTION staging_expand() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO staging (issuer, serial, line, marks, nth)
    SELECT v.issuer, v.serial, 0, 4, (SELECT count(*) FROM staging) + row_number() OVER (ORDER BY v.issuer, v.serial) - 1
      FROM inventory v
      JOIN (SELECT DISTINCT w.spki_sha256 FROM staging s JOIN inventory w USING (issuer, serial)) k USING (spki_sha256)
     WHERE NOT EXISTS (SELECT 1 FROM staging s WHERE s.issuer = v.issuer AND s.serial = v.serial);
END $$;

-- An empty table takes a load in half the time without its indexes: what makes them again afterwards, in one go. Only
-- whoever comes while the table is empty waits for them.
CREATE FUNCTION indexes_take(what regclass) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE index record; made text[] := '{}';
BEGIN
    FOR index IN
        SELECT i.indexrelid::regclass AS name, c.conname, pg_get_indexdef(i.indexrelid) AS by_hand,
               pg_get_constraintdef(c.oid) AS rule
          FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
         WHERE i.indrelid = what ORDER BY i.indexrelid
    LOOP
        IF index.conname IS NULL THEN
            EXECUTE format('DROP INDEX %s', index.name);
            made := made || index.by_hand;
        ELSE
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', what, index.conname);
            made := made || format('ALTER TABLE %s ADD CONSTRAINT %I %s', what, index.conname, index.rule);
        END IF;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION indexes_give(made text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE statement text;
BEGIN
    PERFORM set_config('maintenance_work_mem', '256MB', true);
    FOREACH statement IN ARRAY made LOOP EXECUTE statement; END LOOP;
END $$;

-- The staged certificates that the campaign does not have, complete; how many. Ids are places in the staged list: they
-- ascend, with gaps where it names again what is there (numbering them anew would cost another pass). A list
-- of more than a twentieth of the inventory is merged with its key, whatever the planner thinks: hashing three million
-- rows for a million takes three times as long.
CREATE FUNCTION certificates_insert(c integer, k integer, v integer, code smallint, received bigint, short_from bigint[],
                                    short_longest bigint[], base integer, staged bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    n bigint; made text[] := '{}';
    longest bigint := (SELECT coalesce(max(x), 0) FROM unnest(short_longest) x);
BEGIN
    PERFORM set_config('work_mem', '256MB', true);
    IF 20 * staged > (SELECT reltuples FROM pg_class WHERE oid = 'inventory'::regclass) THEN
        PERFORM set_config('enable_hashjoin', 'off', true);
    END IF;
    IF staged > 50000 AND NOT EXISTS (SELECT 1 FROM certificate) THEN
        made := indexes_take('certificate');
    END IF;
    INSERT INTO certificate (campaign, issuer, serial, cohort, version, line, reason, known, subscriber, not_after, needs,
                             shard, marks, excluded, id)
    SELECT c, s.issuer, s.serial, k, v, s.line, code, w.serial IS NOT NULL, coalesce(w.subscriber, ''), w.not_after,
           needs_of(w.facts, i.crl), coalesce(w.shard, shard_of('', i.crl)),
           marks_of(s.marks, w.serial IS NOT NULL, w.facts, w.sibling),
           CASE WHEN w.not_after < received THEN 'expired_before_receipt'
                WHEN coalesce(w.not_after - w.not_before, longest) < longest
                     AND is_short_lived(w.not_before, w.not_after, short_from, short_longest) THEN 'short_lived' END,
           base + s.nth
      FROM staging s JOIN issuer i ON i.issuer = s.issuer
      LEFT JOIN inventory w ON w.issuer = s.issuer AND w.serial = s.serial
      LEFT JOIN certificate t ON t.campaign = c AND t.issuer = s.issuer AND t.serial = s.serial
     WHERE t.serial IS NULL;
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM indexes_give(made);
    PERFORM set_config('enable_hashjoin', 'on', true);
    RETURN n;
END $$;

DROP FUNCTION population_add(integer, text, smallint, bigint, bigint, bigint, text, text, bytea, bigint, bigint, bigint,
                             bigint, bigint, text);

-- Adds the staged list (temporary table staging) to the cohort of this rule and receipt, or to a new one: after the
-- first start every addition is a cohort of its own. Returns cohort, version, and what the list came to.
CREATE FUNCTION population_add(c integer, rule text, reason smallint, received bigint, deadline bigint, should_by bigint,
                               source text, author text, sha bytea, at bigint, lines bigint, accepted bigint,
                               duplicate bigint, rejected bigint, heuristic text, decision text, expand boolean,
                               shorts bigint[], longests bigint[], data text)
RETURNS TABLE (to_cohort integer, as_version integer, added bigint, expanded bigint, orphans bigint, precertificates bigint,
               siblings bigint, expired bigint, short bigint, elsewhere bigint, later bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE k integer; fresh boolean; v integer; n bigint; base integer; seen bigint; staged bigint; others bigint; slower bigint;
BEGIN
    UPDATE campaign g SET short_from = shorts, short_longest = longests WHERE g.campaign = c
        RETURNING next_certificate INTO base;
    SELECT t.n INTO seen FROM stamp t WHERE t.what = 'inventory';
    SELECT max(o.cohort) INTO k FROM cohort o
     WHERE o.campaign = c AND o.rule = $2 AND o.received = $4
       AND NOT EXISTS (SELECT 1 FROM cohort x WHERE x.campaign = c AND x.started_at IS NOT NULL);
    fresh := k IS NULL;
    IF fresh THEN
        SELECT coalesce(max(o.cohort), 0) + 1 INTO k FROM cohort o WHERE o.campaign = c;
    END IF;
    SELECT coalesce(max(p.version), 0) + 1 INTO v FROM population p WHERE p.campaign = c;
    IF expand THEN
        PERFORM staging_expand();
    END IF;
    SELECT count(*) INTO staged FROM staging;
    n := certificates_insert(c, k, v, reason, received, shorts, longests, base, staged);
    UPDATE campaign g SET next_certificate = CASE WHEN n = 0 THEN base ELSE base + staged END, material = g.material + 1,
           inventory_seen = CASE WHEN base = 0 THEN seen ELSE g.inventory_seen END WHERE g.campaign = c;
    IF n = 0 AND fresh THEN
        k := k - 1; -- nothing new: no cohort to wait for a plan
    ELSIF fresh THEN
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
    others := population_elsewhere(c, v);
    slower := CASE WHEN base > 0 THEN staged_later(c, $5) ELSE 0 END;
    RETURN QUERY -- nothing but counts, so that more than one process may do it
        SELECT k, v, n, count(*) FILTER (WHERE t.marks & 4 <> 0), count(*) FILTER (WHERE t.marks & 1 <> 0),
               count(*) FILTER (WHERE t.marks & 2 <> 0), count(*) FILTER (WHERE t.marks & 8 <> 0),
               count(*) FILTER (WHERE t.excluded = 'expired_before_receipt'),
               count(*) FILTER (WHERE t.excluded = 'short_lived'), others, slower
          FROM certificate t WHERE t.campaign = c AND t.version = v;
END $$;

-- Staged certificates that the campaign has in a cohort with a later deadline.
CREATE FUNCTION staged_later(c integer, deadline bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT count(*) FROM staging s
              JOIN certificate k ON k.campaign = c AND k.issuer = s.issuer AND k.serial = s.serial AND NOT k.withdrawn
              JOIN cohort o ON o.campaign = c AND o.cohort = k.cohort
             WHERE o.deadline > staged_later.deadline);
END $$;

-- Certificates that a version added and another open campaign has, too.
CREATE FUNCTION population_elsewhere(c integer, v integer) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM campaign WHERE campaign <> c AND closed_at IS NULL) THEN
        RETURN 0;
    END IF;
    RETURN (SELECT count(*) FROM certificate t
             WHERE t.campaign = c AND t.version = v
               AND EXISTS (SELECT 1 FROM certificate o JOIN campaign g USING (campaign)
                            WHERE o.campaign <> c AND o.issuer = t.issuer AND o.serial = t.serial AND NOT o.withdrawn
                              AND g.closed_at IS NULL));
END $$;

-- State of a certificate: 0 when it has no place in a page.
CREATE FUNCTION certificate_state(c integer, i integer) RETURNS integer LANGUAGE sql STABLE AS
    $$ SELECT coalesce(get_byte(states_of(c, ARRAY[number_of(c, i)]), 0) & 15, 0) $$;

-- The staged list against the ledger. First a row with the totals, then at most `most` of what is in the list alone and
-- as many of what is in the ledger alone; what came by its key is not looked for in a list. The subscriber of what no ledger has
-- is looked up for the rows that are told alone: joined to the whole comparison, rows without a place in the list would
-- all meet in one bucket of the hash.
CREATE FUNCTION population_reconcile(c integer, most bigint)
RETURNS TABLE (same bigint, added bigint, dropped bigint, is_added boolean, issuer integer, serial bytea, excluded text,
               withdrawn boolean, state integer, subscriber text, version integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH d AS MATERIALIZED (
        SELECT coalesce(s.issuer, k.issuer) AS issuer, coalesce(s.serial, k.serial) AS serial, s.serial IS NOT NULL AS listed,
               k.serial IS NOT NULL AND NOT k.withdrawn AS held, k.marks & 4 <> 0 AS by_key, k.excluded, k.withdrawn, k.id,
               k.subscriber, coalesce(k.version, 0) AS version
          FROM staging s FULL JOIN (SELECT * FROM certificate t WHERE t.campaign = c) k
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

-- What came and went after a version, in the same form; same: what was there and still is.
CREATE FUNCTION population_since(c integer, since integer, most bigint)
RETURNS TABLE (same bigint, added bigint, dropped bigint, is_added boolean, issuer integer, serial bytea, excluded text,
               withdrawn boolean, state integer, subscriber text, version integer) LANGUAGE sql STABLE AS $$
    WITH apart AS (
        (SELECT true AS came, k.* FROM certificate k
          WHERE k.campaign = c AND k.version > since AND NOT k.withdrawn ORDER BY k.issuer, k.serial LIMIT most)
        UNION ALL
        (SELECT false, k.* FROM certificate k
          WHERE k.campaign = c AND k.version <= since AND k.withdrawn AND k.dropped_in >= since
          ORDER BY k.issuer, k.serial LIMIT most)
    )
    SELECT count(*) FILTER (WHERE k.version <= since AND NOT k.withdrawn),
           count(*) FILTER (WHERE k.version > since AND NOT k.withdrawn),
           count(*) FILTER (WHERE k.version <= since AND k.withdrawn AND k.dropped_in >= since),
           NULL::boolean, NULL::integer, NULL::bytea, NULL, NULL::boolean, NULL::integer, NULL, NULL::integer
      FROM certificate k WHERE k.campaign = c
    UNION ALL
    SELECT NULL, NULL, NULL, a.came, a.issuer, a.serial, a.excluded, a.withdrawn, certificate_state(c, a.id),
           a.subscriber, a.version
      FROM apart a
$$;

-- The staged hashes (temporary table staging_hash) that the inventory has, in one pass over it.
CREATE FUNCTION hashes_find() RETURNS TABLE (place integer, issuer integer, serial bytea) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
        SELECT h.place, v.issuer, v.serial
          FROM inventory v CROSS JOIN LATERAL (VALUES (v.cert_sha256), (v.precert_sha256)) x(sha)
          JOIN staging_hash h ON h.sha256 = x.sha
         WHERE x.sha IS NOT NULL;
END $$;

-- Lines of the staged list that the inventory says were issued after `fixed`, listed by hash excepted.
CREATE FUNCTION issued_after(fixed bigint) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
        SELECT s.line FROM staging s JOIN inventory v ON v.issuer = s.issuer AND v.serial = s.serial
         WHERE v.not_before > fixed AND s.marks & 16 = 0;
END $$;

DROP FUNCTION inventory_merge(integer, bigint, text);

-- Upserts temporary table staging_inventory; certificates of cohorts that have not started take the new facts. Plans of
-- theirs and requests lose their object when anything changed: the planning order may be another (plan again).
CREATE FUNCTION inventory_merge(c integer, at bigint, actor text, staged bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE changed bigint := 0; added bigint; names bigint[]; was_empty boolean; made text[] := '{}';
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    PERFORM pg_advisory_xact_lock(lock_class('inventory'), 0); -- one inventory for all campaigns
    PERFORM set_config('work_mem', '256MB', true);
    was_empty := NOT EXISTS (SELECT 1 FROM inventory);
    IF NOT was_empty THEN
        SELECT array_agg(DISTINCT hashtextextended(v.dns_names, 0)) INTO names
          FROM staging_inventory s JOIN inventory v USING (issuer, serial)
         WHERE v.dns_names <> s.dns_names AND v.dns_names <> '';
        UPDATE inventory v
           SET subscriber = s.subscriber, subject = s.subject, not_before = s.not_before, not_after = s.not_after,
               cert_sha256 = s.cert_sha256, precert_sha256 = s.precert_sha256, spki_sha256 = s.spki_sha256,
               dns_names = s.dns_names, type = s.type, cdp = s.cdp, ocsp = s.ocsp, certificate_file = s.certificate_file,
               sibling = v.sibling AND s.dns_names <> ''
          FROM staging_inventory s
         WHERE v.issuer = s.issuer AND v.serial = s.serial
           AND (v.subscriber, v.subject, v.not_before, v.not_after, v.cert_sha256, v.precert_sha256, v.spki_sha256,
                v.dns_names, v.type, v.cdp, v.ocsp, v.certificate_file)
               IS DISTINCT FROM (s.subscriber, s.subject, s.not_before, s.not_after, s.cert_sha256, s.precert_sha256,
                s.spki_sha256, s.dns_names, s.type, s.cdp, s.ocsp, s.certificate_file);
        GET DIAGNOSTICS changed = ROW_COUNT;
    END IF;
    IF was_empty AND staged > 50000 THEN
        made := indexes_take('inventory');
    END IF;
    INSERT INTO inventory (issuer, serial, subscriber, subject, not_before, not_after, cert_sha256, precert_sha256,
                           spki_sha256, dns_names, type, cdp, ocsp, certificate_file, sibling)
    SELECT s.issuer, s.serial, s.subscriber, s.subject, s.not_before, s.not_after, s.cert_sha256, s.precert_sha256,
           s.spki_sha256, s.dns_names, s.type, s.cdp, s.ocsp, s.certificate_file, d.h IS NOT NULL
      FROM staging_inventory s
      LEFT JOIN (SELECT hashtextextended(dns_names, 0) AS h FROM staging_inventory WHERE dns_names <> ''
                  GROUP BY 1 HAVING count(*) > 1) d ON s.dns_names <> '' AND hashtextextended(s.dns_names, 0) = d.h
      LEFT JOIN inventory v ON v.issuer = s.issuer AND v.serial = s.serial
     WHERE v.serial IS NULL; -- staged in the order of the key, which the joins keep
    GET DIAGNOSTICS added = ROW_COUNT;
    PERFORM indexes_give(made);
    IF changed + added > 0 AND NOT was_empty THEN
        PERFORM inventory_siblings(names);
    END IF;
    ANALYZE inventory;
    IF certificates_refresh(c) > 0 OR changed > 0 THEN
        PERFORM requests_void(c, o.cohort, 'the inventory changed'), cohort_unplan(c, o.cohort)
           FROM cohort o WHERE o.campaign = c AND o.started_at IS NULL;
    END IF;
    PERFORM log_note(c, at, actor, 'inventory', format('{"rows":%s}', staged));
END $$;

-- Says anew which certificates share all their names, among those with the names of the staged rows or with these.
CREATE FUNCTION inventory_siblings(names bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE inventory v SET sibling = g.n > 1
      FROM (SELECT hashtextextended(w.dns_names, 0) AS h, count(*) AS n
              FROM inventory w
             WHERE w.dns_names <> ''
               AND hashtextextended(w.dns_names, 0) IN (SELECT hashtextextended(s.dns_names, 0) FROM staging_inventory s
                                                        UNION SELECT unnest(names))
             GROUP BY 1) g
     WHERE v.dns_names <> '' AND hashtextextended(v.dns_names, 0) = g.h AND v.sibling <> (g.n > 1);
END $$;
