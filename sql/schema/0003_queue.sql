-- Claim, settle, give back: design section 3, sentences 2 to 6. An owner is alive exactly as long as the advisory
-- lock of its engine number is held by its session.

-- Registers an engine of this session and takes its lock; the lock goes with the session.
CREATE FUNCTION engine_begin(c integer, host text, pid integer, kind text, at bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE e integer;
BEGIN
    INSERT INTO engine (campaign, host, pid, backend_pid, kind, started_at, seen_at, campaign_seen_at)
    VALUES (c, host, pid, pg_backend_pid(), kind, at, clock_timestamp(), at) RETURNING engine INTO e;
    PERFORM pg_advisory_lock(lock_class('engine'), e);
    RETURN e;
END $$;

-- Is the session of this engine gone? Tried, never waited for; the lock tried is given back at commit.
CREATE FUNCTION engine_is_dead(e integer) RETURNS boolean LANGUAGE sql AS
    $$ SELECT pg_try_advisory_xact_lock(lock_class('engine'), e) $$;

-- The heartbeat of an engine, over its second connection: marks it seen by the server's clock, ends sessions of
-- engines that stand still for 30 s (the process that holds the lock now, never a stored one), and tells whether
-- this engine's own lock is still held and the campaign's generation. Whoever claims from a dead owner holds the
-- owner's lock for that transaction (engine_is_dead): such a holder is neither ended nor taken for the owner.
CREATE FUNCTION engine_beat(c integer, e integer, at bigint) RETURNS TABLE (alive boolean, generation bigint)
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE engine SET seen_at = clock_timestamp(), campaign_seen_at = at WHERE engine = e;
    PERFORM pg_terminate_backend(l.pid)
       FROM engine g JOIN pg_locks l ON l.locktype = 'advisory' AND l.classid = lock_class('engine')::bit(32)::bigint::oid
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND l.objid = g.engine::oid AND l.granted
            AND l.pid = g.backend_pid
      WHERE g.campaign = c AND g.engine <> e AND g.seen_at < clock_timestamp() - interval '30 seconds';
    RETURN QUERY SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN engine g ON g.engine = e AND l.pid = g.backend_pid
                        WHERE l.locktype = 'advisory'
                          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                          AND l.classid = lock_class('engine')::bit(32)::bigint::oid
                          AND l.objid = e::oid AND l.granted),
                        (SELECT k.generation FROM campaign k WHERE k.campaign = c);
END $$;

-- When number n was first asked about, from the facts of claims before this transaction's; the end of time when never.
CREATE FUNCTION first_intent(c integer, n integer, s bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(min(e.at), 9223372036854775807) FROM change h JOIN event e USING (campaign, seq)
     WHERE h.campaign = c AND h.page = n / 1000 AND (n % 1000)::smallint = ANY (h.offsets)
       AND get_byte(h.events, array_position(h.offsets, (n % 1000)::smallint) - 1) = event_code('claim')
       AND h.seq < s
$$;

-- A started cohort that passed its deadline with work of its own left stays missed.
CREATE FUNCTION cohort_missed(c integer, at bigint, actor text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE late integer[]; k integer;
BEGIN
    WITH marked AS (
        UPDATE cohort o SET missed = true
         WHERE o.campaign = c AND o.started_at IS NOT NULL AND NOT o.missed AND o.deadline < cohort_missed.at
           AND EXISTS (SELECT 1 FROM page p WHERE p.campaign = c AND p.cohort = o.cohort
                          AND p.pending_publication + p.not_revoked + p.held + p.unknown > 0)
        RETURNING o.cohort)
    SELECT array_agg(cohort ORDER BY cohort) INTO late FROM marked;
    FOREACH k IN ARRAY coalesce(late, '{}') LOOP
        PERFORM log_note(c, at, actor, 'missed', format('{"cohort":%s}', k));
    END LOOP;
END $$;

-- Claims due live chunks of CA `k` for engine `e`, whichever plan dealt them, up to `most` certificates (at least
-- one chunk); `skip` are chunks this engine must not take (their page does not match the signed scope). Canary chunks
-- first; others of an issuer wait while a canary of it is open. The commit is the durable intent.
CREATE FUNCTION queue_claim(c integer, e integer, k smallint, at bigint, actor text, most integer, skip integer[])
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
           AND (h.canary OR NOT EXISTS (SELECT 1 FROM page p WHERE p.campaign = c AND p.cohort = h.cohort
                                           AND p.issuer = h.issuer AND p.canary_open > 0))
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

-- Commits outcomes: result facts for all, then the events of those that may still move a state (sentence 5):
-- revoked from any epoch, everything else only from the current epoch of the number's live claimed chunk.
-- Arrays of one length, one entry a certificate. Returns events without an edge.
CREATE FUNCTION queue_settle(c integer, at bigint, actor text, chunks integer[], epochs integer[], numbers integer[],
                             outcomes smallint[], codes smallint[], ca_ats bigint[], ca_reasons smallint[])
RETURNS TABLE (number integer, event smallint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    s bigint;
    ns integer[]; es smallint[];
    summary text;
BEGIN
    PERFORM 1 FROM chunk h WHERE h.campaign = c AND h.chunk = ANY (chunks) ORDER BY h.chunk FOR NO KEY UPDATE;
    PERFORM pages_lock(c, numbers);
    s := log_begin(c);
    INSERT INTO result
    SELECT c, s, n / 1000, h.plan, h.chunk, x.ep, array_agg((n % 1000)::smallint ORDER BY i),
           string_agg(set_byte('\x00'::bytea, 0, o), ''::bytea ORDER BY i), array_agg(a ORDER BY i), array_agg(r ORDER BY i)
      FROM unnest(chunks, epochs, numbers, outcomes, ca_ats, ca_reasons) WITH ORDINALITY AS x(ch, ep, n, o, a, r, i)
      JOIN chunk h ON h.campaign = c AND h.chunk = x.ch
     GROUP BY n / 1000, h.plan, h.chunk, x.ep;
    SELECT array_agg(n ORDER BY i), array_agg(code ORDER BY i) INTO ns, es
      FROM unnest(chunks, epochs, numbers, codes) WITH ORDINALITY AS x(ch, ep, n, code, i)
      JOIN chunk h ON h.campaign = c AND h.chunk = x.ch
     WHERE code IN (event_code('revoked'), event_code('before')) OR (h.state = 'claimed' AND h.epoch = ep);
    IF ns IS NOT NULL THEN
        RETURN QUERY SELECT * FROM ledger_apply(c, s, ns, es);
    END IF;
    SELECT string_agg(format('"%s":%s', event_name(code), n), ',' ORDER BY event_name(code) COLLATE "C") INTO summary
      FROM (SELECT code, count(*) AS n FROM unnest(codes) AS code GROUP BY code) AS y;
    UPDATE chunk h SET state = chunk_rest(c, h.numbers)
     WHERE h.campaign = c AND h.chunk = ANY (chunks) AND h.state IN ('ready', 'idle', 'done');
    PERFORM log_end(c, s, at, actor, 'settle', format('{"answers":{%s}}', summary));
END $$;

-- Gives chunks back in good order: what is still asked was not sent and goes back to due; doubt stays doubt.
CREATE FUNCTION queue_give_back(c integer, e integer, at bigint, actor text, chunks integer[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    s bigint;
    mine integer[]; ns integer[];
BEGIN
    PERFORM 1 FROM chunk h WHERE h.campaign = c AND h.chunk = ANY (chunks) ORDER BY h.chunk FOR NO KEY UPDATE;
    SELECT array_agg(h.chunk), (SELECT array_agg(n ORDER BY n) FROM chunk g, unnest(g.numbers) n
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

-- notAfter has passed for certificates that were not revoked: expired. Chunks, pages, log.
CREATE FUNCTION queue_expire(c integer, at bigint, actor text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    ns integer[];
    s bigint;
    moved integer;
    fit CONSTANT integer[] := ARRAY[state_code('waiting'), state_code('due'), state_code('held'),
                                    state_code('unknown'), state_code('needs_person')];
BEGIN
    SELECT array_agg(k.number ORDER BY k.number) INTO ns
      FROM certificate k JOIN page p ON p.campaign = c AND p.page = k.number / 1000
     WHERE k.campaign = c AND k.number IS NOT NULL AND k.not_after < at
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
