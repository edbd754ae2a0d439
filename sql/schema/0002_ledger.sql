-- The ledger's own functions. None of them knows a rule of its own: which event leads where is one table made from
-- model/certificate.def (ledger_table(), event_code(), state_code(), written by the program after the migrations).
-- Locks, always in this order: campaign (only if it changes), pointer, chunks ascending, pages ascending, log.
-- Everything a client changes is one call of one function: one statement, one transaction, nothing waits for a client.

-- Advisory lock classes of this schema.
CREATE FUNCTION lock_class(what text) RETURNS integer LANGUAGE sql STABLE AS
    $$ SELECT hashtext(what || ':' || current_schema()) $$;

-- Takes the log and the next sequence number: the last lock of a transaction.
CREATE FUNCTION log_begin(c integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE s bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(lock_class('log'), c);
    UPDATE log SET size = size + 1 WHERE campaign = c RETURNING size - 1 INTO s;
    RETURN s;
END $$;

-- The fact rows of one event, each as the canonical text whose SHA-256 stands in the event's leaf.
CREATE FUNCTION fact_rows(c integer, s bigint) RETURNS TABLE (key text, body text) LANGUAGE sql STABLE AS $$
    SELECT format('change/%s/%s', page, step),
           format('{"afters":"%s","befores":"%s","events":"%s","offsets":[%s],"page":%s,"seq":%s,"step":%s,"table":"change"}',
                  encode(afters, 'hex'), encode(befores, 'hex'), encode(events, 'hex'),
                  array_to_string(offsets, ','), page, seq, step)
      FROM change WHERE campaign = c AND seq = s
    UNION ALL
    SELECT format('result/%s/%s/%s', page, chunk, epoch),
           format('{"ca_at":[%s],"ca_reasons":[%s],"chunk":%s,"epoch":%s,"offsets":[%s],"outcomes":"%s","page":%s,"plan":%s,"seq":%s,"table":"result"}',
                  array_to_string(ca_at, ','), array_to_string(ca_reasons, ','), chunk, epoch,
                  array_to_string(offsets, ','), encode(outcomes, 'hex'), page, plan, seq)
      FROM result WHERE campaign = c AND seq = s
    UNION ALL
    SELECT format('sighting/%s/%s', page, g.object),
           format('{"missing":"%s","object":%s,"object_sha256":"%s","page":%s,"seen":"%s","seq":%s,"table":"sighting"}',
                  encode(missing, 'hex'), g.object, encode(o.sha256, 'hex'), page, encode(seen, 'hex'), seq)
      FROM sighting g LEFT JOIN object o ON o.campaign = g.campaign AND o.object = g.object
     WHERE g.campaign = c AND seq = s
    UNION ALL
    SELECT format('notice_try/%s/%s', notice, attempt),
           format('{"at":%s,"attempt":%s,"notice":%s,"outcome":"%s","seq":%s,"table":"notice_try","text_sha256":"%s"}',
                  at, attempt, notice, outcome, seq, encode(sha256(convert_to(text, 'UTF8')), 'hex'))
      FROM notice_try WHERE campaign = c AND seq = s
$$;

-- Writes the event of sequence s with its leaf (canonical JSON: sorted keys, no blanks) and the leaf's RFC 6962 hash.
-- `data` is canonical JSON made by the program.
CREATE FUNCTION log_end(c integer, s bigint, at bigint, actor text, type text, data text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    rows text;
    leaf text;
BEGIN
    SELECT coalesce(string_agg(format('"%s":"%s"', key, encode(sha256(convert_to(body, 'UTF8')), 'hex')), ','
                               ORDER BY key COLLATE "C"), '')
      INTO rows FROM fact_rows(c, s);
    leaf := format('{"actor":%s,"at":%s,"data":%s,"rows":{%s},"seq":%s,"type":"%s"}',
                   to_json(actor), at, data, rows, s, type);
    INSERT INTO event VALUES (c, s, at, actor, type, leaf, sha256('\x00'::bytea || convert_to(leaf, 'UTF8')));
    RETURN s;
END $$;

-- An event without any change of a page.
CREATE FUNCTION log_note(c integer, at bigint, actor text, type text, data text) RETURNS bigint LANGUAGE sql AS
    $$ SELECT log_end(c, log_begin(c), at, actor, type, data) $$;

-- Index of a bucket in the counters below, per state (0..15): 1 revoked, 2 pending, 3 not revoked, 4 held,
-- 5 expired, 6 unknown, 7 withdrawn.
-- (ledger_buckets() is written by the program from certificate.def.)

-- Locks the pages of these numbers, ascending.
CREATE FUNCTION pages_lock(c integer, numbers integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM page WHERE campaign = c AND page IN (SELECT DISTINCT n / 1000 FROM unnest(numbers) n)
      ORDER BY page FOR NO KEY UPDATE;
END $$;

-- Chunks not closed that hold any of these numbers. Hashed: 1,000 numbers a chunk against many thousands, one by one,
-- would keep a brake waiting for minutes.
CREATE FUNCTION chunks_of(c integer, wanted integer[]) RETURNS SETOF integer LANGUAGE sql STABLE AS $$
    SELECT DISTINCT h.chunk FROM chunk h CROSS JOIN unnest(h.numbers) n JOIN unnest(wanted) w ON w = n
     WHERE h.campaign = c AND h.state <> 'closed'
$$;

-- Locks the live chunks that hold any of these numbers, ascending.
CREATE FUNCTION chunks_lock(c integer, wanted integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM chunk WHERE campaign = c AND state IN ('ready', 'claimed', 'idle') AND chunk IN (SELECT chunks_of(c, wanted))
      ORDER BY chunk FOR NO KEY UPDATE;
END $$;

-- Applies events to numbers (same length): the only way a page changes. The pages must be locked and sequence s
-- taken. Writes `change` rows; an event without an edge is not applied and comes back.
CREATE FUNCTION ledger_apply(c integer, s bigint, numbers integer[], events smallint[])
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
             WHERE certificate.campaign = c AND certificate.number = ANY (gone);
        END IF;
    END LOOP;
END $$;

-- How many of these canaries could still prove themselves: not published, and not out of the running (held, unknown,
-- expired, withdrawn, needs a person, revoked before).
CREATE FUNCTION canaries_open(states bytea, canaries smallint[]) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT count(*)::int FROM unnest(canaries) o
     WHERE get_byte(states, o) & 15 IN (state_code('waiting'), state_code('due'), state_code('asked'),
           state_code('doubt'), state_code('recorded'), state_code('crl_seen'), state_code('ocsp_seen'))
$$;

-- States of numbers, in their order; 0 where there is none.
CREATE FUNCTION states_of(c integer, numbers integer[]) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT coalesce(string_agg(set_byte('\x00'::bytea, 0, coalesce(
               CASE WHEN n % 1000 < p.used THEN get_byte(p.states, n % 1000) END, 0)), ''::bytea ORDER BY i), ''::bytea)
      FROM unnest(numbers) WITH ORDINALITY AS u(n, i)
      LEFT JOIN page p ON p.campaign = c AND p.page = n / 1000
$$;

-- Applies one event to every number whose state is one of `froms`.
CREATE FUNCTION ledger_apply_where(c integer, s bigint, numbers integer[], froms integer[], code smallint)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    chosen integer[];
BEGIN
    SELECT array_agg(n ORDER BY i) INTO chosen
      FROM unnest(numbers) WITH ORDINALITY AS u(n, i) JOIN page p ON p.campaign = c AND p.page = n / 1000
     WHERE n % 1000 < p.used AND get_byte(p.states, n % 1000) & 15 = ANY (froms);
    IF chosen IS NOT NULL THEN
        PERFORM ledger_apply(c, s, chosen, array_fill(code, ARRAY[cardinality(chosen)]));
    END IF;
    RETURN coalesce(cardinality(chosen), 0);
END $$;

-- What a chunk is after its numbers moved, while nobody owns it.
CREATE FUNCTION chunk_rest(c integer, numbers integer[]) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN bool_or(state IN (state_code('waiting'), state_code('due'), state_code('asked'), state_code('doubt')))
                THEN 'ready'
                WHEN bool_or(state IN (state_code('held'), state_code('unknown'), state_code('needs_person')))
                THEN 'idle' ELSE 'done' END
      FROM (SELECT get_byte(p.states, n % 1000) & 15 AS state
              FROM unnest(numbers) n JOIN page p ON p.campaign = c AND p.page = n / 1000) AS y
$$;

-- Chunks that nobody owns become ready, idle or done as their numbers now say.
CREATE FUNCTION chunks_settle(c integer, wanted integer[]) RETURNS void LANGUAGE sql AS $$
    UPDATE chunk SET state = chunk_rest(c, numbers)
     WHERE campaign = c AND state IN ('ready', 'idle', 'done') AND chunk IN (SELECT chunks_of(c, wanted))
       AND state <> chunk_rest(c, numbers)
$$;
