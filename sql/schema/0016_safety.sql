-- What stops a campaign before it does harm: canaries and what contradicts them, breakers, another try.

-- Pages with canaries are few; the claim asks for them at every turn.
CREATE INDEX page_canaries ON page (campaign) WHERE canaries <> '{}';

-- How many of these canaries have not shown themselves yet: not in a fetched CRL (or in OCSP, when that is all they
-- have), and not out of the running (held, unknown, expired, withdrawn, revoked before). One that needs a person keeps
-- the rest waiting: what a person does about it decides.
CREATE OR REPLACE FUNCTION canaries_open(states bytea, canaries smallint[]) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT count(*)::int FROM unnest(canaries) o
     WHERE get_byte(states, o) & 15 IN (state_code('waiting'), state_code('due'), state_code('asked'),
           state_code('doubt'), state_code('needs_person'), state_code('recorded'), state_code('ocsp_seen'))
$$;

-- Issuers of a cohort whose rest goes without its canaries' proof: the wait was over, or a person said so.
CREATE TABLE canary_pass (
    campaign integer NOT NULL,
    cohort integer NOT NULL,
    issuer integer NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (campaign, cohort, issuer)
);

-- Issuers that nothing is revoked of: the world contradicted a canary. Ends by a person's word only.
CREATE TABLE issuer_stop (
    campaign integer NOT NULL,
    stop integer NOT NULL,
    issuer integer NOT NULL,
    number integer NOT NULL,
    at bigint NOT NULL,
    why text NOT NULL,
    lifted_at bigint,
    lifted_by text,
    PRIMARY KEY (campaign, stop)
);
CREATE UNIQUE INDEX issuer_stop_open ON issuer_stop (campaign, issuer) WHERE lifted_at IS NULL;

-- CAs that an engine left alone because of what they answer. A row that is open outlives its engine: the next one
-- begins with a probe.
CREATE TABLE breaker (
    campaign integer NOT NULL,
    ca text NOT NULL,
    class text NOT NULL,
    opened_at bigint NOT NULL,
    text text NOT NULL,
    closed_at bigint,
    PRIMARY KEY (campaign, ca)
);

-- Which issuers of which cohorts wait for their canaries: only canary chunks of theirs may be claimed.
CREATE FUNCTION gated(c integer) RETURNS TABLE (cohort integer, issuer integer) LANGUAGE sql STABLE AS $$
    SELECT p.cohort, p.issuer FROM page p
     WHERE p.campaign = c AND p.canaries <> '{}' AND p.canary_open > 0
       AND NOT EXISTS (SELECT 1 FROM canary_pass g WHERE g.campaign = c AND g.cohort = p.cohort AND g.issuer = p.issuer)
$$;

-- Issuers that nothing is revoked of.
CREATE FUNCTION stopped(c integer) RETURNS TABLE (issuer integer) LANGUAGE sql STABLE AS $$
    SELECT s.issuer FROM issuer_stop s WHERE s.campaign = c AND s.lifted_at IS NULL
$$;

-- Claims due live chunks of CA `k` for engine `e`, whichever plan dealt them, up to `most` certificates (at least
-- one chunk); `skip` are chunks this engine must not take (their page does not match the signed scope). Canary chunks
-- first; others of an issuer wait for its canaries. The commit is the durable intent.
CREATE OR REPLACE FUNCTION queue_claim(c integer, e integer, k smallint, at bigint, actor text, most integer, skip integer[])
RETURNS TABLE (chunk integer, plan integer, cohort integer, issuer integer, epoch integer, generation bigint,
               numbers integer[], states bytea, intents bigint[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    gen bigint;
    taken integer[] := '{}'; dead integer[] := '{}'; all_numbers integer[] := '{}';
    doubt CONSTANT integer := state_code('doubt');
    total integer := 0;
    s bigint;
    r record;
BEGIN
    SELECT g.generation INTO gen FROM campaign g WHERE g.campaign = c AND NOT g.paused_revoke AND g.closed_at IS NULL;
    IF NOT FOUND THEN RETURN; END IF;
    FOR r IN
        SELECT h.chunk, h.numbers, h.state, h.owner FROM chunk h JOIN cohort o USING (campaign, cohort)
         WHERE h.campaign = c AND h.ca = k AND h.state IN ('ready', 'claimed') AND h.due_at <= at
           AND o.started_at IS NOT NULL AND o.voided_at IS NULL
           AND NOT h.chunk = ANY (skip)
           AND (h.state = 'ready' OR (h.owner <> e AND engine_is_dead(h.owner)))
           AND (h.canary OR (h.cohort, h.issuer) NOT IN (SELECT d.cohort, d.issuer FROM gated(c) d))
           AND h.issuer NOT IN (SELECT d.issuer FROM stopped(c) d)
         ORDER BY h.canary DESC, h.due_at, h.chunk
         FOR NO KEY UPDATE OF h SKIP LOCKED
    LOOP
        EXIT WHEN total > 0 AND total + cardinality(r.numbers) > most;
        taken := taken || r.chunk;
        IF r.state = 'claimed' THEN dead := dead || r.numbers; END IF;
        all_numbers := all_numbers || r.numbers;
        total := total + cardinality(r.numbers);
    END LOOP;
    IF total = 0 THEN RETURN; END IF;
    PERFORM pages_lock(c, all_numbers);
    s := log_begin(c);
    IF cardinality(dead) > 0 THEN
        PERFORM ledger_apply_where(c, s, dead, ARRAY[state_code('asked')], event_code('takeover'));
    END IF;
    PERFORM ledger_apply_where(c, s, all_numbers, ARRAY[state_code('waiting')], event_code('hour'));
    PERFORM ledger_apply_where(c, s, all_numbers, ARRAY[state_code('due')], event_code('claim'));
    UPDATE chunk h SET state = 'claimed', owner = e, epoch = h.epoch + 1, claimed_at = at
     WHERE h.campaign = c AND h.chunk = ANY (taken);
    PERFORM log_end(c, s, at, actor, 'claim',
                    format('{"chunks":[%s],"engine":%s,"taken_over":%s}', array_to_string(taken, ','), e, cardinality(dead)));
    RETURN QUERY
        SELECT h.chunk, h.plan, h.cohort, h.issuer, h.epoch, gen, h.numbers, b.bytes,
               ARRAY(SELECT CASE WHEN h.epoch > 1 OR get_byte(b.bytes, i::integer - 1) & 15 = doubt
                                 THEN first_intent(c, n, s) ELSE 9223372036854775807 END
                       FROM unnest(h.numbers) WITH ORDINALITY AS u(n, i) ORDER BY i)
          FROM chunk h CROSS JOIN LATERAL (SELECT states_of(c, h.numbers) AS bytes OFFSET 0) b
         WHERE h.campaign = c AND h.chunk = ANY (taken) ORDER BY array_position(taken, h.chunk);
END $$;

-- When the CA recorded a number as revoked, from the facts; NULL: it has not.
CREATE FUNCTION recorded_at(c integer, n integer) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT max(e.at) FROM change h JOIN event e USING (campaign, seq)
     WHERE h.campaign = c AND h.page = n / 1000 AND (n % 1000)::smallint = ANY (h.offsets)
       AND get_byte(h.events, array_position(h.offsets, (n % 1000)::smallint) - 1) = event_code('revoked')
$$;

-- A canary that cannot prove anything any more gives its place to the next of its issuer and shard, by hour: one that
-- waits in a chunk nobody owns. It keeps its hour, for its people were told it; it leaves its chunk, which is dealt
-- anew around it. Returns the new one's number, or NULL when there is none left.
CREATE FUNCTION canary_replace(c integer, n integer, at bigint, actor text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    q page%ROWTYPE; h chunk%ROWTYPE;
    wanted integer; top integer; heir integer; s bigint;
    waiting CONSTANT integer := state_code('waiting');
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    SELECT * INTO q FROM page WHERE campaign = c AND page = n / 1000;
    IF NOT (n % 1000)::smallint = ANY (q.canaries) THEN RETURN NULL; END IF; -- another engine was faster
    SELECT shard INTO wanted FROM certificate WHERE campaign = c AND id = (ids_of(c, ARRAY[n]))[1];
    FOR h IN SELECT * FROM chunk g WHERE g.campaign = c AND g.cohort = q.cohort AND g.issuer = q.issuer AND g.state = 'ready'
                AND NOT g.canary ORDER BY g.due_at, g.chunk
    LOOP
        SELECT x INTO heir FROM unnest(h.numbers) x
          JOIN page p ON p.campaign = c AND p.page = x / 1000
          JOIN member m ON m.campaign = c AND m.block = x / 250
          JOIN certificate k ON k.campaign = c AND k.id = m.ids[x % 250 + 1]
         WHERE k.shard = wanted AND get_byte(p.states, x % 1000) = waiting ORDER BY x LIMIT 1;
        IF heir IS NOT NULL THEN
            PERFORM 1 FROM chunk g WHERE g.campaign = c AND g.chunk = h.chunk AND g.state = 'ready' FOR NO KEY UPDATE;
            EXIT WHEN FOUND;
            heir := NULL;
        END IF;
    END LOOP;
    PERFORM 1 FROM page WHERE campaign = c AND page IN (n / 1000, heir / 1000) ORDER BY page FOR NO KEY UPDATE;
    s := log_begin(c);
    UPDATE page SET canaries = array_remove(canaries, (n % 1000)::smallint) WHERE campaign = c AND page = n / 1000;
    IF heir IS NOT NULL THEN
        SELECT max(chunk) INTO top FROM chunk WHERE campaign = c;
        UPDATE chunk SET state = 'closed' WHERE campaign = c AND chunk = h.chunk;
        INSERT INTO chunk (campaign, chunk, plan, cohort, ca, issuer, canary, slot_start, due_at, numbers)
        SELECT c, top + i, h.plan, h.cohort, h.ca, h.issuer, i = 1, h.slot_start, h.due_at, ns
          FROM (VALUES (1, ARRAY[heir]), (2, array_remove(h.numbers, heir))) v(i, ns) WHERE cardinality(ns) > 0;
        UPDATE page SET canaries = ARRAY(SELECT o FROM unnest(canaries || (heir % 1000)::smallint) o ORDER BY o)
         WHERE campaign = c AND page = heir / 1000;
    END IF;
    UPDATE page SET canary_open = canaries_open(states, canaries) WHERE campaign = c AND page IN (n / 1000, heir / 1000);
    PERFORM log_end(c, s, at, actor, CASE WHEN heir IS NULL THEN 'canary_unproved' ELSE 'canary_replaced' END,
                    CASE WHEN heir IS NULL
                         THEN format('{"cohort":%s,"issuer":%s,"number":%s,"why":"no other certificate of its CRL is left to go first"}',
                                     q.cohort, q.issuer, n)
                         ELSE format('{"cohort":%s,"issuer":%s,"number":%s,"replaced":%s}', q.cohort, q.issuer, heir, n) END);
    RETURN heir;
END $$;

-- The rest of an issuer's cohort goes without the canaries' proof; once.
CREATE FUNCTION canary_pass(c integer, k integer, iss integer, at bigint, actor text, data text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    INSERT INTO canary_pass VALUES (c, k, iss, at) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM log_note(c, at, actor, 'canary_unproved', data);
    END IF;
END $$;

-- The world contradicts a canary: nothing more is revoked of its issuer. A brake, so the generation moves.
CREATE FUNCTION canary_stop(c integer, iss integer, n integer, why text, at bigint, actor text, data text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaign SET generation = generation + 1 WHERE campaign = c;
    INSERT INTO issuer_stop (campaign, stop, issuer, number, at, why)
    SELECT c, coalesce((SELECT max(stop) FROM issuer_stop WHERE campaign = c), 0) + 1, iss, n, at, why
     WHERE iss NOT IN (SELECT d.issuer FROM stopped(c) d);
    IF FOUND THEN
        PERFORM log_note(c, at, actor, 'canary_contradicted', data);
    END IF;
END $$;

-- A person lets all stopped issuers go on, in spite of what was seen: their canaries are asked no more. Returns how many.
CREATE FUNCTION stops_lift(c integer, at bigint, actor text, data text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE n integer;
BEGIN
    UPDATE campaign SET generation = generation + 1 WHERE campaign = c;
    INSERT INTO canary_pass SELECT DISTINCT c, p.cohort, p.issuer, stops_lift.at FROM page p
     WHERE p.campaign = c AND p.canaries <> '{}' AND p.issuer IN (SELECT d.issuer FROM stopped(c) d) ON CONFLICT DO NOTHING;
    UPDATE issuer_stop SET lifted_at = stops_lift.at, lifted_by = actor WHERE campaign = c AND lifted_at IS NULL;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        PERFORM log_note(c, stops_lift.at, actor, 'stops_lifted', data);
    END IF;
    RETURN n;
END $$;

-- A breaker opens or (class '') closes.
CREATE FUNCTION breaker_set(c integer, name text, kind text, says text, at bigint, actor text, data text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    IF kind = '' THEN
        UPDATE breaker SET closed_at = at WHERE campaign = c AND ca = name;
    ELSE
        INSERT INTO breaker AS b VALUES (c, name, kind, at, says, NULL) ON CONFLICT (campaign, ca)
            DO UPDATE SET class = excluded.class, opened_at = excluded.opened_at, text = excluded.text, closed_at = NULL;
    END IF;
    PERFORM log_note(c, at, actor, CASE WHEN kind = '' THEN 'breaker_closed' ELSE 'breaker_open' END, data);
END $$;

-- Another try for certificates the CA did not know or that needed a person: waiting again, in a chunk that may be
-- claimed. Returns per certificate its state before (NULL: it has no number here), and whether it waits now by this.
CREATE FUNCTION act_retry(c integer, issuers integer[], serials bytea[], at bigint, actor text, data text)
RETURNS TABLE (state integer, retried boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE s bigint; ns integer[]; fit integer[]; befores integer[];
BEGIN
    SELECT array_agg(t.number ORDER BY x.n) INTO ns
      FROM unnest(issuers, serials) WITH ORDINALITY x(i, z, n)
      LEFT JOIN affected t ON t.campaign = c AND t.issuer = x.i AND t.serial = x.z;
    PERFORM chunks_lock(c, array_remove(ns, NULL));
    PERFORM pages_lock(c, array_remove(ns, NULL));
    SELECT array_agg(CASE WHEN u.n IS NOT NULL THEN get_byte(states_of(c, ARRAY[u.n]), 0) & 15 END ORDER BY u.i) INTO befores
      FROM unnest(ns) WITH ORDINALITY u(n, i);
    SELECT array_agg(DISTINCT u.n ORDER BY u.n) INTO fit FROM unnest(ns, befores) u(n, b)
     WHERE u.b IN (state_code('unknown'), state_code('needs_person'));
    IF fit IS NOT NULL THEN
        s := log_begin(c);
        PERFORM ledger_apply(c, s, fit, array_fill(event_code('retry'), ARRAY[cardinality(fit)]));
        PERFORM chunks_settle(c, fit);
        PERFORM log_end(c, s, at, actor, 'retry', data);
    END IF;
    RETURN QUERY SELECT u.b, u.n = ANY (coalesce(fit, '{}'))
                   FROM unnest(ns, befores) WITH ORDINALITY u(n, b, i) ORDER BY u.i;
END $$;
