-- What an engine asks in every step costs what has changed, not what there is.

-- When the next certificate may expire: no page promises one before. Looking at that moment makes the page exact.
CREATE OR REPLACE FUNCTION next_expiry(c integer) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT min(p.expires) FROM page p WHERE p.campaign = c AND p.not_revoked + p.held + p.unknown > 0
$$;

-- When numbers were first asked about, from the facts of claims before this transaction's, in the order of `numbers`; the
-- end of time for those never asked about, and for those not `wanted`.
CREATE FUNCTION first_intents(c integer, s bigint, numbers integer[], wanted integer[]) RETURNS bigint[]
LANGUAGE sql STABLE AS $$
    WITH asked AS (
        SELECT h.page * 1000 + o.position AS number, min(e.at) AS at
          FROM change h JOIN event e USING (campaign, seq)
         CROSS JOIN LATERAL unnest(h.offsets) WITH ORDINALITY AS o(position, i)
         WHERE cardinality(wanted) > 0 AND h.campaign = c AND h.seq < s
           AND h.page IN (SELECT n / 1000 FROM unnest(wanted) n)
           AND get_byte(h.events, o.i::integer - 1) = event_code('claim')
         GROUP BY 1)
    SELECT array_agg(coalesce(a.at, 9223372036854775807) ORDER BY u.i)
      FROM unnest(numbers) WITH ORDINALITY AS u(n, i)
      LEFT JOIN asked a ON a.number = u.n AND u.n = ANY (wanted)
$$;

-- ledger_apply_where for numbers that are runs already.
CREATE FUNCTION ledger_apply_runs_where(c integer, s bigint, firsts integer[], counts integer[], froms integer[], code smallint)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    at_page integer := -1; now_bytes bytea; used_now integer;
    o integer; rest integer; n integer; chosen integer := 0;
    fs integer[] := '{}'; ns integer[] := '{}';
BEGIN
    FOR i IN 1 .. cardinality(firsts) LOOP
        IF firsts[i] / 1000 <> at_page THEN
            at_page := firsts[i] / 1000; used_now := 0;
            SELECT p.states || ''::bytea, p.used INTO now_bytes, used_now FROM page p WHERE p.campaign = c AND p.page = at_page;
        END IF;
        o := firsts[i] % 1000; rest := least(counts[i], used_now - o);
        WHILE rest > 0 LOOP
            n := same_bytes(now_bytes, o, rest);
            IF get_byte(now_bytes, o) & 15 = ANY (froms) THEN
                fs := fs || (at_page * 1000 + o); ns := ns || n; chosen := chosen + n;
            END IF;
            o := o + n; rest := rest - n;
        END LOOP;
    END LOOP;
    IF chosen > 0 THEN
        PERFORM ledger_apply_runs(c, s, fs, ns, array_fill(code, ARRAY[cardinality(fs)]));
    END IF;
    RETURN chosen;
END $$;
CREATE OR REPLACE FUNCTION ledger_apply_where(c integer, s bigint, numbers integer[], froms integer[], code smallint)
RETURNS integer LANGUAGE sql AS
    $$ SELECT ledger_apply_runs_where(c, s, r.firsts, r.counts, froms, code) FROM runs_of(numbers) r $$;

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
    fs integer[]; ns integer[]; in_doubt boolean;
    never CONSTANT bigint := 9223372036854775807;
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
    SELECT firsts, counts INTO fs, ns FROM runs_of(all_numbers);
    PERFORM pages_lock(c, fs);
    in_doubt := EXISTS (SELECT 1 FROM page p WHERE p.campaign = c AND p.doubt > 0 AND p.page IN (SELECT f / 1000 FROM unnest(fs) f));
    s := log_begin(c);
    IF cardinality(dead) > 0 THEN
        PERFORM ledger_apply_where(c, s, dead, ARRAY[state_code('asked')], event_code('takeover'));
    END IF;
    PERFORM ledger_apply_runs_where(c, s, fs, ns, ARRAY[state_code('waiting')], event_code('hour'));
    PERFORM ledger_apply_runs_where(c, s, fs, ns, ARRAY[state_code('due')], event_code('claim'));
    UPDATE chunk h SET state = 'claimed', owner = e, epoch = h.epoch + 1, claimed_at = at
     WHERE h.campaign = c AND h.chunk = ANY (taken);
    PERFORM log_end(c, s, at, actor, 'claim',
                    format('{"chunks":[%s],"engine":%s,"taken_over":%s}', array_to_string(taken, ','), e, cardinality(dead)));
    RETURN QUERY
        SELECT h.chunk, h.plan, h.cohort, h.issuer, h.epoch, gen, h.numbers, b.bytes,
               CASE WHEN h.epoch = 1 AND NOT in_doubt THEN array_fill(never, ARRAY[cardinality(h.numbers)]) -- they were never asked about
               ELSE first_intents(c, s, h.numbers, CASE WHEN h.epoch > 1 THEN h.numbers ELSE ARRAY(
                   SELECT n FROM unnest(h.numbers) WITH ORDINALITY AS u(n, i)
                    WHERE get_byte(b.bytes, i::integer - 1) & 15 = doubt) END) END
          FROM chunk h CROSS JOIN LATERAL (SELECT states_of(c, h.numbers) AS bytes OFFSET 0) b
         WHERE h.campaign = c AND h.chunk = ANY (taken) ORDER BY array_position(taken, h.chunk);
END $$;
DROP FUNCTION first_intent(integer, integer, bigint);

-- What becomes of a chunk that nobody works on: there is work for an engine, for a person, or none.
CREATE OR REPLACE FUNCTION chunk_rest(c integer, numbers integer[]) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    work CONSTANT integer[] := ARRAY[state_code('waiting'), state_code('due'), state_code('asked'), state_code('doubt')];
    wait CONSTANT integer[] := ARRAY[state_code('held'), state_code('unknown'), state_code('needs_person')];
    b CONSTANT bytea := states_of(c, numbers);
    rest text := 'done';
    o integer := 0;
BEGIN
    WHILE o < length(b) LOOP
        IF get_byte(b, o) & 15 = ANY (work) THEN RETURN 'ready'; END IF;
        IF get_byte(b, o) & 15 = ANY (wait) THEN rest := 'idle'; END IF;
        o := o + same_bytes(b, o, length(b) - o);
    END LOOP;
    RETURN rest;
END $$;

-- Gives chunks of engine e back: what was not sent waits again. How many chunks were its own.
CREATE OR REPLACE FUNCTION queue_give_back(c integer, e integer, at bigint, actor text, chunks integer[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    s bigint;
    r record;
    mine integer[] := '{}'; all_numbers integer[] := '{}'; fs integer[]; ns integer[];
BEGIN
    FOR r IN SELECT h.chunk, h.numbers, h.owner FROM chunk h WHERE h.campaign = c AND h.chunk = ANY (chunks)
              ORDER BY h.chunk FOR NO KEY UPDATE
    LOOP
        CONTINUE WHEN r.owner IS DISTINCT FROM e;
        mine := mine || r.chunk; all_numbers := all_numbers || r.numbers;
    END LOOP;
    IF cardinality(mine) = 0 THEN RETURN 0; END IF;
    SELECT firsts, counts INTO fs, ns FROM runs_of(all_numbers);
    PERFORM pages_lock(c, fs);
    s := log_begin(c);
    PERFORM ledger_apply_runs_where(c, s, fs, ns, ARRAY[state_code('asked')], event_code('unsent'));
    UPDATE chunk h SET owner = NULL, state = chunk_rest(c, h.numbers) WHERE h.campaign = c AND h.chunk = ANY (mine);
    PERFORM log_end(c, s, at, actor, 'give_back', format('{"chunks":[%s]}', array_to_string(mine, ',')));
    RETURN cardinality(mine);
END $$;
