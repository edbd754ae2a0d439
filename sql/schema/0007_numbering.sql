-- Numbers leave the certificate's row: giving a million of them was a million rows and indexes written anew. A
-- certificate has an id, ascending from 0 in order of arrival, for ever. Which number it has, and which certificate a number
-- is, stand in blocks of 250: a row of about 1 kB stays below the limit from which PostgreSQL compresses or moves it out,
-- so one element of its array is read in constant time.

CREATE TABLE stamp (
    what text PRIMARY KEY,
    n bigint NOT NULL
);
INSERT INTO stamp VALUES ('inventory', 0), ('contact', 0);

-- What all campaigns share changed: a plan read before is a plan of something else.
CREATE FUNCTION stamp_bump() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stamp SET n = n + 1 WHERE what = TG_TABLE_NAME;
    RETURN NULL;
END $$;
CREATE TRIGGER stamped AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON inventory
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_bump();
CREATE TRIGGER stamped AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON contact
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_bump();

-- next_certificate: the next id. material: bumped by whatever changes what a cohort that has not started is planned
-- from. inventory_seen: the inventory's stamp when its facts were last taken over.
ALTER TABLE campaign ADD COLUMN next_certificate integer NOT NULL DEFAULT 0,
                     ADD COLUMN material bigint NOT NULL DEFAULT 0,
                     ADD COLUMN inventory_seen bigint NOT NULL DEFAULT 0;

-- shard: shard_of() its CRL, 0 before anybody looked. replaced: another certificate stands in its place.
ALTER TABLE certificate ADD COLUMN id integer,
                        ADD COLUMN shard integer NOT NULL DEFAULT 0,
                        ADD COLUMN replaced boolean NOT NULL DEFAULT false;

-- Number block * 250 + i belongs to certificate ids[i + 1]. Kept when a cohort is planned anew: what a number of an
-- older plan meant. It counts only while place says the same.
CREATE TABLE member (
    campaign integer NOT NULL,
    block integer NOT NULL,
    ids integer[] NOT NULL CHECK (cardinality(ids) BETWEEN 1 AND 250),
    PRIMARY KEY (campaign, block)
);

-- Certificate block * 250 + i has numbers[i + 1], -1: none. Permanent from the first start of its cohort.
CREATE TABLE place (
    campaign integer NOT NULL,
    block integer NOT NULL,
    numbers integer[] NOT NULL CHECK (cardinality(numbers) = 250),
    PRIMARY KEY (campaign, block)
);

-- statistics over the elements of arrays cost more than all the rest and nothing asks for them
ALTER TABLE member ALTER COLUMN ids SET STATISTICS 0;
ALTER TABLE place ALTER COLUMN numbers SET STATISTICS 0;
ALTER TABLE chunk ALTER COLUMN numbers SET STATISTICS 0;
ALTER TABLE page ALTER COLUMN states SET STATISTICS 0, ALTER COLUMN needs SET STATISTICS 0;

-- Which CRL a certificate is proved from, as a number: the one it names, else the one configured for its issuer.
CREATE FUNCTION shard_of(cdp text, crl text) RETURNS integer LANGUAGE sql IMMUTABLE AS
    $$ SELECT hashtext(CASE WHEN coalesce(cdp, '') <> '' THEN cdp ELSE crl END) $$;

-- A store that has certificates: ids in the order of their lists, blocks from their numbers.
UPDATE certificate k SET id = n.id, shard = shard_of(v.cdp, i.crl)
  FROM (SELECT campaign, issuer, serial,
               row_number() OVER (PARTITION BY campaign ORDER BY version, line, issuer, serial) - 1 AS id FROM certificate) n
  JOIN issuer i ON i.issuer = n.issuer
  LEFT JOIN inventory v ON v.issuer = n.issuer AND v.serial = n.serial
 WHERE k.campaign = n.campaign AND k.issuer = n.issuer AND k.serial = n.serial;
UPDATE campaign g SET next_certificate = (SELECT count(*) FROM certificate k WHERE k.campaign = g.campaign);
ALTER TABLE certificate ALTER COLUMN id SET NOT NULL;
CREATE UNIQUE INDEX certificate_id ON certificate (campaign, id);
INSERT INTO member
SELECT b.campaign, b.block, array_agg(coalesce(k.id, -1) ORDER BY o)
  FROM (SELECT campaign, number / 250 AS block, max(number % 250) AS top FROM certificate WHERE number IS NOT NULL GROUP BY 1, 2) b
 CROSS JOIN generate_series(0, b.top) o
  LEFT JOIN certificate k ON k.campaign = b.campaign AND k.number = b.block * 250 + o
 GROUP BY 1, 2;
INSERT INTO place
SELECT b.campaign, b.block, array_agg(coalesce(k.number, -1) ORDER BY o)
  FROM (SELECT DISTINCT campaign, id / 250 AS block FROM certificate WHERE number IS NOT NULL) b
 CROSS JOIN generate_series(0, 249) o
  LEFT JOIN certificate k ON k.campaign = b.campaign AND k.id = b.block * 250 + o
 GROUP BY 1, 2;

DROP FUNCTION plan_number(integer, integer, bigint, text);
DROP FUNCTION plan_scope(integer, integer);
DROP FUNCTION plan_deal(integer, integer, bigint, text, bytea, text, text, integer[], smallint[], integer[], boolean[],
                        bigint[], bigint[], integer[], integer[], integer[], integer[], text);
ALTER TABLE certificate DROP COLUMN number; -- and its two indexes
CREATE INDEX certificate_not_after ON certificate (campaign, not_after) WHERE excluded IS NULL AND NOT withdrawn;

-- Certificates with the number they have now, NULL: none. For readers that start from certificates.
CREATE VIEW affected AS
SELECT k.campaign, k.issuer, k.serial, k.cohort, k.version, k.line, k.id, k.reason, k.known, k.subscriber, k.not_after,
       k.needs, k.excluded, k.withdrawn, k.replaced, k.shard, nullif(p.numbers[k.id % 250 + 1], -1) AS number
  FROM certificate k LEFT JOIN place p ON p.campaign = k.campaign AND p.block = k.id / 250;

-- The number of one certificate.
CREATE FUNCTION number_of(c integer, i integer) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT nullif(numbers[i % 250 + 1], -1) FROM place WHERE campaign = c AND block = i / 250
$$;

-- The certificates of some numbers, in their order. For readers that start from numbers.
CREATE FUNCTION ids_of(c integer, numbers integer[]) RETURNS integer[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(m.ids[u.n % 250 + 1] ORDER BY u.i), '{}')
      FROM unnest(numbers) WITH ORDINALITY u(n, i) JOIN member m ON m.campaign = c AND m.block = u.n / 250
$$;

-- Applies events to numbers (same length): the only way a page changes. The pages must be locked and sequence s
-- taken. Writes `change` rows; an event without an edge is not applied and comes back.
CREATE OR REPLACE FUNCTION ledger_apply(c integer, s bigint, numbers integer[], events smallint[])
RETURNS TABLE (number integer, event smallint) LANGUAGE plpgsql AS $$
DECLARE
    edges CONSTANT bytea := ledger_table();
    buckets CONSTANT bytea := ledger_buckets();
    kinds CONSTANT integer := event_count();
    withdrawn_state CONSTANT integer := state_code('withdrawn');
    doubt_state CONSTANT integer := state_code('doubt');
    person_state CONSTANT integer := state_code('needs_person');
    work record;
    p page%ROWTYPE;
    counts integer[];
    offs smallint[]; codes bytea; befores bytea; afters bytea; gone integer[];
    old integer; new integer; o integer; e integer; nth smallint;
BEGIN
    FOR work IN
        SELECT n / 1000 AS page, array_agg((n % 1000)::smallint ORDER BY i) AS offsets, array_agg(x ORDER BY i) AS codes
          FROM unnest(numbers, events) WITH ORDINALITY AS u(n, x, i) GROUP BY n / 1000 ORDER BY n / 1000
    LOOP
        SELECT * INTO p FROM page WHERE page.campaign = c AND page.page = work.page;
        CONTINUE WHEN NOT FOUND;
        counts := ARRAY[p.revoked, p.pending_publication, p.not_revoked, p.held, p.expired, p.unknown, p.withdrawn];
        offs := '{}'; codes := ''; befores := ''; afters := ''; gone := '{}';
        FOR i IN 1 .. cardinality(work.offsets) LOOP
            o := work.offsets[i]; e := work.codes[i];
            old := CASE WHEN o < p.used THEN get_byte(p.states, o) ELSE 0 END;
            new := CASE WHEN old = 0 THEN 0
                        ELSE get_byte(edges, (get_byte(p.needs, o) * kinds + e) * 256 + old) END;
            IF new = 0 THEN
                number := work.page * 1000 + o; event := e;
                RETURN NEXT;
                CONTINUE;
            END IF;
            CONTINUE WHEN new = old;
            p.states := set_byte(p.states, o, new);
            offs := offs || o::smallint;
            codes := codes || set_byte('\x00'::bytea, 0, e);
            befores := befores || set_byte('\x00'::bytea, 0, old);
            afters := afters || set_byte('\x00'::bytea, 0, new);
            counts[get_byte(buckets, old & 15)] := counts[get_byte(buckets, old & 15)] - 1;
            counts[get_byte(buckets, new & 15)] := counts[get_byte(buckets, new & 15)] + 1;
            p.doubt := p.doubt - (old & 15 = doubt_state)::int + (new & 15 = doubt_state)::int;
            p.needs_person := p.needs_person - (old & 15 = person_state)::int + (new & 15 = person_state)::int;
            IF new & 15 = withdrawn_state AND old & 15 <> withdrawn_state THEN
                gone := gone || (work.page * 1000 + o);
            END IF;
        END LOOP;
        CONTINUE WHEN cardinality(offs) = 0;
        UPDATE page SET states = p.states, revoked = counts[1], pending_publication = counts[2],
               not_revoked = counts[3], held = counts[4], expired = counts[5], unknown = counts[6],
               withdrawn = counts[7], doubt = p.doubt, needs_person = p.needs_person,
               canary_open = canaries_open(p.states, p.canaries)
         WHERE page.campaign = c AND page.page = work.page;
        SELECT coalesce(max(step) + 1, 0) INTO nth FROM change
         WHERE change.campaign = c AND change.seq = s AND change.page = work.page;
        INSERT INTO change VALUES (c, s, nth, work.page, offs, codes, befores, afters);
        IF cardinality(gone) > 0 THEN
            UPDATE certificate SET withdrawn = true
             WHERE certificate.campaign = c AND certificate.id = ANY (ids_of(c, gone));
        END IF;
    END LOOP;
END $$;

-- notAfter has passed for certificates that were not revoked: expired. Chunks, pages, log. Read in the order of
-- notAfter; pages with nothing left to revoke are not looked into.
CREATE OR REPLACE FUNCTION queue_expire(c integer, at bigint, actor text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    ns integer[];
    s bigint;
    moved integer;
    fit CONSTANT integer[] := ARRAY[state_code('waiting'), state_code('due'), state_code('held'),
                                    state_code('unknown'), state_code('needs_person')];
BEGIN
    SELECT array_agg(k.number ORDER BY k.number) INTO ns
      FROM affected k JOIN page p ON p.campaign = c AND p.page = k.number / 1000
     WHERE k.campaign = c AND k.excluded IS NULL AND NOT k.withdrawn AND k.not_after < at
       AND p.not_revoked + p.held + p.unknown > 0 AND k.number % 1000 < p.used
       AND get_byte(p.states, k.number % 1000) & 15 = ANY (fit);
    IF ns IS NULL THEN RETURN 0; END IF;
    PERFORM chunks_lock(c, ns);
    PERFORM pages_lock(c, ns);
    s := log_begin(c);
    moved := ledger_apply_where(c, s, ns, fit, event_code('expire'));
    PERFORM chunks_settle(c, ns);
    PERFORM log_end(c, s, at, actor, 'expire', format('{"certificates":%s}', moved));
    RETURN moved;
END $$;

-- Gives chunks back in good order: what is still asked was not sent and goes back to due; doubt stays doubt.
-- In ascending order, so that the event of a drill is the same twice however the rows lie.
CREATE OR REPLACE FUNCTION queue_give_back(c integer, e integer, at bigint, actor text, chunks integer[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    s bigint;
    mine integer[]; ns integer[];
BEGIN
    PERFORM 1 FROM chunk h WHERE h.campaign = c AND h.chunk = ANY (chunks) ORDER BY h.chunk FOR NO KEY UPDATE;
    SELECT array_agg(h.chunk ORDER BY h.chunk), (SELECT array_agg(n ORDER BY n) FROM chunk g, unnest(g.numbers) n
                                 WHERE g.campaign = c AND g.owner = e AND g.chunk = ANY (chunks))
      INTO mine, ns FROM chunk h WHERE h.campaign = c AND h.owner = e AND h.chunk = ANY (chunks);
    IF mine IS NULL THEN RETURN 0; END IF;
    PERFORM pages_lock(c, ns);
    s := log_begin(c);
    PERFORM ledger_apply_where(c, s, ns, ARRAY[state_code('asked')], event_code('unsent'));
    UPDATE chunk h SET owner = NULL, state = chunk_rest(c, h.numbers) WHERE h.campaign = c AND h.chunk = ANY (mine);
    PERFORM log_end(c, s, at, actor, 'give_back', format('{"chunks":[%s]}', array_to_string(mine, ',')));
    RETURN cardinality(mine);
END $$;

-- When the next certificate expires that could. Few left: from the pages they are on; many: in the order of notAfter,
-- where the first that fits comes soon.
CREATE FUNCTION next_expiry(c integer) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    fit CONSTANT integer[] := ARRAY[state_code('waiting'), state_code('due'), state_code('held'),
                                    state_code('unknown'), state_code('needs_person')];
    left_over bigint;
BEGIN
    SELECT sum(not_revoked + held + unknown) INTO left_over FROM page WHERE campaign = c;
    IF left_over <= 20000 THEN
        RETURN (SELECT min(k.not_after)
                  FROM page p CROSS JOIN generate_series(0, p.used - 1) o
                  JOIN member m ON m.campaign = c AND m.block = p.page * 4 + o / 250
                  JOIN certificate k ON k.campaign = c AND k.id = m.ids[o % 250 + 1]
                 WHERE p.campaign = c AND p.not_revoked + p.held + p.unknown > 0
                   AND get_byte(p.states, o) & 15 = ANY (fit));
    END IF;
    RETURN (SELECT k.not_after FROM affected k JOIN page p ON p.campaign = c AND p.page = k.number / 1000
             WHERE k.campaign = c AND k.excluded IS NULL AND NOT k.withdrawn AND k.not_after IS NOT NULL
               AND k.number % 1000 < p.used AND get_byte(p.states, k.number % 1000) & 15 = ANY (fit)
             ORDER BY k.not_after LIMIT 1);
END $$;

-- Takes the numbers of a cohort that has not started back: whatever it was planned from has changed. What no plan
-- covers any more must not be counted by pages that still do. The campaign is locked.
CREATE OR REPLACE FUNCTION cohort_unplan(c integer, k integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE low integer; high integer;
BEGIN
    UPDATE campaign SET material = material + 1 WHERE campaign = c;
    UPDATE chunk SET state = 'closed', owner = NULL WHERE campaign = c AND cohort = k AND state <> 'closed';
    UPDATE cohort SET plan = NULL WHERE campaign = c AND cohort = k AND plan IS NOT NULL;
    -- a cohort is numbered at once, so nobody else's page lies between its first and its last
    SELECT min(page) * 1000, max(page) * 1000 + 999 INTO low, high FROM page WHERE campaign = c AND cohort = k;
    IF low IS NULL THEN
        RETURN;
    END IF;
    DELETE FROM page WHERE campaign = c AND cohort = k;
    DELETE FROM place p WHERE p.campaign = c
       AND NOT EXISTS (SELECT 1 FROM unnest(p.numbers) n WHERE n >= 0 AND n NOT BETWEEN low AND high);
    UPDATE place p SET numbers = ARRAY(SELECT CASE WHEN n BETWEEN low AND high THEN -1 ELSE n END
                                         FROM unnest(p.numbers) WITH ORDINALITY u(n, i) ORDER BY i)
     WHERE p.campaign = c AND EXISTS (SELECT 1 FROM unnest(p.numbers) n WHERE n BETWEEN low AND high);
END $$;

-- A certificate of a cohort that has not started turns out to be short-lived.
CREATE OR REPLACE FUNCTION short_exclude(c integer, iss integer, z bytea) RETURNS void LANGUAGE sql AS $$
    SELECT 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    SELECT cohort_unplan(c, t.cohort) FROM certificate t WHERE t.campaign = c AND t.issuer = iss AND t.serial = z;
    UPDATE certificate SET excluded = 'short_lived' WHERE campaign = c AND issuer = iss AND serial = z;
$$;

-- Facts of the inventory for certificates of cohorts that have not started; needs: 1 CRL, 2 OCSP. A certificate
-- without any pointer is proved from the CRL configured for its issuer, when there is one.
CREATE OR REPLACE FUNCTION certificates_refresh(c integer) RETURNS void LANGUAGE sql AS $$
    UPDATE certificate k
       SET known = v.serial IS NOT NULL, subscriber = coalesce(v.subscriber, ''), not_after = v.not_after,
           needs = CASE WHEN coalesce(v.cdp, '') <> '' OR coalesce(v.ocsp, '') <> ''
                        THEN (coalesce(v.cdp, '') <> '')::int + 2 * (coalesce(v.ocsp, '') <> '')::int
                        ELSE (i.crl <> '')::int END,
           shard = shard_of(v.cdp, i.crl),
           excluded = CASE WHEN v.not_after < o.received THEN 'expired_before_receipt'
                           WHEN k.excluded = 'short_lived' THEN 'short_lived' END
      FROM certificate j
      JOIN issuer i ON i.issuer = j.issuer
      JOIN cohort o ON o.campaign = j.campaign AND o.cohort = j.cohort
      LEFT JOIN inventory v ON v.issuer = j.issuer AND v.serial = j.serial
     WHERE j.campaign = c AND o.started_at IS NULL AND k.campaign = j.campaign AND k.issuer = j.issuer AND k.serial = j.serial;
    UPDATE campaign SET material = material + 1, inventory_seen = (SELECT n FROM stamp WHERE what = 'inventory')
     WHERE campaign = c;
$$;

-- The inventory is shared: what another campaign's import changed in it is taken over before a plan. Whatever was planned
-- and not started from the older facts is not planned any more.
CREATE FUNCTION facts_renew(c integer, at bigint, actor text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c
        AND inventory_seen <> (SELECT n FROM stamp WHERE what = 'inventory') FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM certificates_refresh(c);
    PERFORM requests_void(c, o.cohort, 'the inventory changed') FROM cohort o WHERE o.campaign = c AND o.started_at IS NULL;
    PERFORM cohort_unplan(c, o.cohort) FROM cohort o WHERE o.campaign = c AND o.started_at IS NULL;
    PERFORM log_note(c, at, actor, 'renew', '{}');
    RETURN true;
END $$;

-- Adds the staged list (temporary table staging(issuer, serial, line)) to the cohort of this rule and receipt that
-- has not started, or to a new one. Returns the cohort, and how many were new to the campaign.
CREATE OR REPLACE FUNCTION population_add(c integer, rule text, reason smallint, received bigint, deadline bigint, should_by bigint,
                               source text, author text, sha bytea, at bigint, lines bigint, accepted bigint,
                               duplicate bigint, rejected bigint, data text)
RETURNS TABLE (cohort integer, added bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE k integer; v integer; n bigint; base integer; received_ bigint := received; rule_ text := rule;
BEGIN
    SELECT g.next_certificate INTO base FROM campaign g WHERE g.campaign = c FOR NO KEY UPDATE;
    SELECT o.cohort INTO k FROM cohort o
     WHERE o.campaign = c AND o.started_at IS NULL AND o.rule = rule_ AND o.received = received_;
    IF k IS NULL AND NOT EXISTS (SELECT 1 FROM staging s WHERE NOT EXISTS (
            SELECT 1 FROM certificate t WHERE t.campaign = c AND t.issuer = s.issuer AND t.serial = s.serial)) THEN
        SELECT max(o.cohort) INTO k FROM cohort o WHERE o.campaign = c; -- nothing new: no cohort to wait for a plan
    END IF;
    IF k IS NULL THEN
        SELECT coalesce(max(o.cohort), 0) + 1 INTO k FROM cohort o WHERE o.campaign = c;
        INSERT INTO cohort (campaign, cohort, rule, reason, received, deadline, should_by)
        VALUES (c, k, rule_, $3, received_, $5, $6);
        INSERT INTO clock VALUES (c, k, 'received', received_, source, author, at);
    END IF;
    SELECT coalesce(max(p.version), 0) + 1 INTO v FROM population p WHERE p.campaign = c;
    INSERT INTO certificate (campaign, issuer, serial, cohort, version, line, reason, id)
    SELECT c, s.issuer, s.serial, k, v, s.line, $3, base + row_number() OVER (ORDER BY s.line, s.issuer, s.serial) - 1
      FROM staging s
     WHERE NOT EXISTS (SELECT 1 FROM certificate t WHERE t.campaign = c AND t.issuer = s.issuer AND t.serial = s.serial);
    GET DIAGNOSTICS n = ROW_COUNT;
    UPDATE campaign g SET next_certificate = base + n WHERE g.campaign = c;
    INSERT INTO population VALUES (c, v, k, source, author, sha, at, lines, accepted, duplicate, rejected, n);
    ANALYZE certificate; -- a fresh list without statistics is joined in nested loops
    PERFORM certificates_refresh(c);
    IF n > 0 THEN
        PERFORM requests_void(c, k, format('the list of cohort %s changed', k));
        PERFORM cohort_unplan(c, k);
    END IF;
    PERFORM log_note(c, at, author, 'import', data);
    RETURN QUERY SELECT k, n;
END $$;

-- What a plan of a cohort was made from, in one word: equal before and after, nothing changed between. The campaign's
-- counters and the stamps cover lists, inventory, contacts, holds and drops; what is unsettled only ever shrinks, claims
-- only ever count up and only a claim makes a chunk claimed, so equal sums of these are equal sets.
CREATE FUNCTION plan_mark(c integer, k integer) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('/', g.generation, g.material, g.next_certificate, g.next_page,
                     (SELECT string_agg(n::text, '/' ORDER BY what) FROM stamp),
                     coalesce(o.started_at, -1), o.received, o.deadline, o.rule,
                     (SELECT max(plan) FROM plan WHERE campaign = c),
                     (SELECT sum(not_revoked + held + unknown) FROM page WHERE campaign = c AND cohort = k),
                     (SELECT concat(count(*) FILTER (WHERE state = 'claimed'), '/', sum(epoch))
                        FROM chunk WHERE campaign = c AND cohort = k))
      FROM campaign g JOIN cohort o USING (campaign) WHERE g.campaign = c AND o.cohort = k
$$;

-- Pages and blocks of a cohort numbered anew, from the temporary tables staging_page, staging_member, staging_place.
CREATE FUNCTION plan_number(c integer, k integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cohort_unplan(c, k);
    INSERT INTO page (campaign, page, cohort, issuer, states, needs, scope, used, not_revoked)
    SELECT c, s.page, k, s.issuer, decode(repeat(lpad(to_hex(state_code('waiting')::integer), 2, '0'), length(s.needs)), 'hex'),
           s.needs, s.scope, length(s.needs), length(s.needs) FROM staging_page s;
    UPDATE campaign SET next_page = (SELECT max(page) + 1 FROM staging_page) WHERE campaign = c;
    INSERT INTO member SELECT c, s.block, s.ids FROM staging_member s;
    -- a block at either end may hold certificates of another cohort, whose numbers stay
    INSERT INTO place AS p SELECT c, s.block, s.numbers FROM staging_place s
        ON CONFLICT (campaign, block) DO UPDATE SET numbers = ARRAY(
           SELECT greatest(a, b) FROM unnest(p.numbers, excluded.numbers) WITH ORDINALITY u(a, b, i) ORDER BY i);
END $$;

-- Writes a plan: numbers a cohort that has not started (`fresh`), closes chunks never claimed or given back, deals the new
-- ones. `mark` is plan_mark() when the material was read: another one now means that the set changed (MR040: plan again).
-- Temporary tables: as plan_number(), and staging_chunk, staging_canary (pages whose canaries change), staging_event
-- (numbers that a hold binds when fresh, else those that were due in what closes). What is dealt anew is a canary only
-- if this plan says so: one left marked in an ordinary chunk would wait for itself.
CREATE FUNCTION plan_write(c integer, k integer, at bigint, actor text, fresh boolean, mark text, sha bytea, body text,
                           summary text, data text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    p integer; top integer; s bigint; ns integer[];
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    PERFORM 1 FROM chunk WHERE campaign = c AND cohort = k AND state IN ('ready', 'claimed', 'idle')
      ORDER BY chunk FOR NO KEY UPDATE;
    PERFORM 1 FROM page WHERE campaign = c AND cohort = k ORDER BY page FOR NO KEY UPDATE;
    IF plan_mark(c, k) IS DISTINCT FROM mark THEN
        RAISE EXCEPTION 'the set to plan changed meanwhile' USING ERRCODE = 'MR040';
    END IF;
    IF fresh THEN
        PERFORM plan_number(c, k);
    END IF;
    SELECT coalesce(max(plan.plan), 0) + 1 INTO p FROM plan WHERE campaign = c;
    SELECT coalesce(max(chunk), 0) INTO top FROM chunk WHERE campaign = c;
    PERFORM requests_void(c, k, format('plan %s replaced the plan it names', p));
    UPDATE cohort SET plan = p WHERE campaign = c AND cohort = k;
    UPDATE chunk SET state = 'closed' WHERE campaign = c AND cohort = k AND state IN ('ready', 'idle');
    INSERT INTO plan VALUES (c, p, k, at, actor, sha, body, summary);
    INSERT INTO chunk (campaign, chunk, plan, cohort, ca, issuer, canary, slot_start, due_at, numbers)
    SELECT c, top + x.nth, p, k, x.ca, x.issuer, x.canary, x.slot_start, x.due_at, x.numbers FROM staging_chunk x;
    SELECT array_agg(number ORDER BY number) INTO ns FROM staging_event;
    s := log_begin(c);
    IF ns IS NOT NULL THEN
        PERFORM ledger_apply_where(c, s, ns, ARRAY[state_code(CASE WHEN fresh THEN 'waiting' ELSE 'due' END)],
                                   event_code(CASE WHEN fresh THEN 'hold' ELSE 'close' END));
    END IF;
    UPDATE page g SET canaries = x.canaries, canary_open = canaries_open(g.states, x.canaries)
      FROM staging_canary x WHERE g.campaign = c AND g.page = x.page;
    PERFORM log_end(c, s, at, actor, 'plan', data);
    RETURN p;
END $$;

-- Drops certificates: those already recorded come back as too late; asked or doubtful ones are noted and go the
-- moment the state allows it. Returns per certificate what happened: withdrawn, noted, too_late, absent, already.
CREATE OR REPLACE FUNCTION act_drop(c integer, issuers integer[], serials bytea[], at bigint, actor text, data text)
RETURNS TABLE (place integer, verdict text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE s bigint; ns integer[]; before bytea;
BEGIN
    UPDATE campaign SET generation = generation + 1 WHERE campaign = c;
    SELECT array_agg(t.number ORDER BY t.number) INTO ns
      FROM unnest(issuers, serials) x(i, z) JOIN affected t ON t.campaign = c AND t.issuer = x.i AND t.serial = x.z
     WHERE t.number IS NOT NULL AND NOT t.withdrawn;
    PERFORM requests_void(c, o.cohort, format('certificates of cohort %s were dropped', o.cohort))
       FROM (SELECT DISTINCT t.cohort FROM unnest(issuers, serials) x(i, z)
               JOIN certificate t ON t.campaign = c AND t.issuer = x.i AND t.serial = x.z WHERE NOT t.withdrawn) o;
    UPDATE certificate t SET withdrawn = true FROM unnest(issuers, serials) x(i, z)
     WHERE t.campaign = c AND t.issuer = x.i AND t.serial = x.z AND number_of(c, t.id) IS NULL;
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
          LEFT JOIN affected t ON t.campaign = c AND t.issuer = x.i AND t.serial = x.z ORDER BY x.n;
END $$;

-- Numbers of a hold that are not released.
CREATE OR REPLACE FUNCTION hold_numbers(c integer, h integer) RETURNS integer[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(t.number ORDER BY t.number) FROM hold_item x JOIN affected t USING (campaign, issuer, serial)
     WHERE x.campaign = c AND x.hold = h AND NOT x.released AND t.number IS NOT NULL
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
     WHERE x.campaign = c AND x.hold = h AND x.released AND t.number IS NOT NULL
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

