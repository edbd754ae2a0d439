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
               first_intents(c, s, h.numbers, CASE WHEN h.epoch > 1 THEN h.numbers ELSE ARRAY(
                   SELECT n FROM unnest(h.numbers) WITH ORDINALITY AS u(n, i)
                    WHERE get_byte(b.bytes, i::integer - 1) & 15 = doubt) END)
          FROM chunk h CROSS JOIN LATERAL (SELECT states_of(c, h.numbers) AS bytes OFFSET 0) b
         WHERE h.campaign = c AND h.chunk = ANY (taken) ORDER BY array_position(taken, h.chunk);
END $$;
DROP FUNCTION first_intent(integer, integer, bigint);
