-- The ledger works on runs: numbers that follow each other on one page and meet the same event. A thousand answers are
-- a few runs, whose bytes are looked at and written at once; the rules stay in the one table of certificate.def.

-- The offsets of a page, to cut runs out of.
CREATE FUNCTION page_offsets() RETURNS smallint[] LANGUAGE sql IMMUTABLE AS
    $$ SELECT array_agg(g::smallint ORDER BY g) FROM generate_series(0, 999) g $$;

-- So many times the same byte.
CREATE FUNCTION bytes_of(value integer, n integer) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT decode(repeat(lpad(to_hex(value), 2, '0'), n), 'hex') $$;

-- Runs of a list, in its order: neighbours in the list that follow each other in number, on one page. Ends are looked
-- for in growing steps, then the whole run is compared: a list in ascending order costs next to nothing.
CREATE FUNCTION runs_of(numbers integer[], OUT firsts integer[], OUT counts integer[]) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    top CONSTANT integer := cardinality(numbers);
    i integer := 1; a integer; n integer; most integer; step integer;
BEGIN
    firsts := '{}'; counts := '{}';
    WHILE i <= top LOOP
        a := numbers[i]; n := 1; step := 1;
        most := least(top - i + 1, 1000 - a % 1000);
        WHILE n + step <= most AND numbers[i + n + step - 1] = a + n + step - 1 LOOP
            n := n + step; step := step * 2;
        END LOOP;
        WHILE step > 1 LOOP
            step := step / 2;
            IF n + step <= most AND numbers[i + n + step - 1] = a + n + step - 1 THEN n := n + step; END IF;
        END LOOP;
        IF n > 2 AND numbers[i : i + n - 1] <> ARRAY(SELECT generate_series(a, a + n - 1)) THEN
            n := 1;
            WHILE numbers[i + n] = a + n LOOP n := n + 1; END LOOP;
        END IF;
        firsts := firsts || a; counts := counts || n;
        i := i + n;
    END LOOP;
END $$;

-- Locks the pages of these numbers, ascending.
CREATE OR REPLACE FUNCTION pages_lock(c integer, numbers integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM page WHERE campaign = c AND page IN (SELECT f / 1000 FROM unnest((SELECT r.firsts FROM runs_of(numbers) r)) f)
      ORDER BY page FOR NO KEY UPDATE;
END $$;

-- How many bytes from `at` on are the same, of at most n.
CREATE FUNCTION same_bytes(bytes bytea, at integer, n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS
    $$ SELECT least(n, length(bytes) - at) - length(ltrim(substr(bytes, at + 1, n), substr(bytes, at + 1, 1))) $$;

-- Applies events to runs (same length of all arrays, no run over the end of a page): the only way a page changes. The
-- pages must be locked and sequence s taken. Writes `change` rows; an event without an edge is not applied and comes back.
CREATE FUNCTION ledger_apply_runs(c integer, s bigint, firsts integer[], counts integer[], codes smallint[])
RETURNS TABLE (number integer, event smallint) LANGUAGE plpgsql AS $$
DECLARE
    edges CONSTANT bytea := ledger_table();
    buckets CONSTANT bytea := ledger_buckets();
    kinds CONSTANT integer := event_count();
    every_offset CONSTANT smallint[] := page_offsets();
    withdrawn_state CONSTANT integer := state_code('withdrawn');
    doubt_state CONSTANT integer := state_code('doubt');
    person_state CONSTANT integer := state_code('needs_person');
    work record;
    p page%ROWTYPE;
    now_bytes bytea; need_bytes bytea;
    sums integer[];
    offs smallint[]; events bytea; befores bytea; afters bytea; gone integer[];
    old integer; new integer; o integer; e integer; rest integer; n integer; nth smallint;
BEGIN
    FOR work IN
        SELECT f / 1000 AS page, array_agg(f % 1000 ORDER BY i) AS offsets, array_agg(k ORDER BY i) AS counts,
               array_agg(x ORDER BY i) AS codes
          FROM unnest(firsts, counts, codes) WITH ORDINALITY AS u(f, k, x, i) GROUP BY f / 1000 ORDER BY f / 1000
    LOOP
        SELECT * INTO p FROM page WHERE page.campaign = c AND page.page = work.page;
        CONTINUE WHEN NOT FOUND;
        now_bytes := p.states || ''::bytea; need_bytes := p.needs || ''::bytea; -- as they are, not compressed
        sums := ARRAY[p.revoked, p.pending_publication, p.not_revoked, p.held, p.expired, p.unknown, p.withdrawn];
        offs := '{}'; events := ''; befores := ''; afters := ''; gone := '{}';
        FOR i IN 1 .. cardinality(work.offsets) LOOP
            o := work.offsets[i]; rest := work.counts[i]; e := work.codes[i];
            WHILE rest > 0 LOOP
                n := rest; new := 0;
                IF o < p.used THEN -- a piece of one state and one need
                    n := least(rest, p.used - o);
                    n := least(same_bytes(now_bytes, o, n), same_bytes(need_bytes, o, n));
                    old := get_byte(now_bytes, o);
                    new := CASE WHEN old = 0 THEN 0 ELSE get_byte(edges, (get_byte(need_bytes, o) * kinds + e) * 256 + old) END;
                END IF;
                IF new = 0 THEN
                    RETURN QUERY SELECT work.page * 1000 + o + g, e::smallint FROM generate_series(0, n - 1) g;
                ELSIF new <> old THEN
                    now_bytes := overlay(now_bytes PLACING bytes_of(new, n) FROM o + 1 FOR n);
                    offs := offs || every_offset[o + 1 : o + n];
                    events := events || bytes_of(e, n);
                    befores := befores || bytes_of(old, n);
                    afters := afters || bytes_of(new, n);
                    sums[get_byte(buckets, old & 15)] := sums[get_byte(buckets, old & 15)] - n;
                    sums[get_byte(buckets, new & 15)] := sums[get_byte(buckets, new & 15)] + n;
                    p.doubt := p.doubt + n * ((new & 15 = doubt_state)::int - (old & 15 = doubt_state)::int);
                    p.needs_person := p.needs_person + n * ((new & 15 = person_state)::int - (old & 15 = person_state)::int);
                    IF new & 15 = withdrawn_state AND old & 15 <> withdrawn_state THEN
                        gone := gone || ARRAY(SELECT work.page * 1000 + o + g FROM generate_series(0, n - 1) g);
                    END IF;
                END IF;
                o := o + n; rest := rest - n;
            END LOOP;
        END LOOP;
        CONTINUE WHEN cardinality(offs) = 0;
        UPDATE page SET states = now_bytes, revoked = sums[1], pending_publication = sums[2],
               not_revoked = sums[3], held = sums[4], expired = sums[5], unknown = sums[6],
               withdrawn = sums[7], doubt = p.doubt, needs_person = p.needs_person,
               canary_open = CASE WHEN p.canaries = '{}' THEN 0 ELSE canaries_open(now_bytes, p.canaries) END
         WHERE page.campaign = c AND page.page = work.page;
        SELECT coalesce(max(step) + 1, 0) INTO nth FROM change
         WHERE change.campaign = c AND change.seq = s AND change.page = work.page;
        INSERT INTO change VALUES (c, s, nth, work.page, offs, events, befores, afters);
        IF cardinality(gone) > 0 THEN
            UPDATE certificate SET withdrawn = true
             WHERE certificate.campaign = c AND certificate.id = ANY (ids_of(c, gone));
        END IF;
    END LOOP;
END $$;

-- The same for single numbers (same length of both arrays).
CREATE OR REPLACE FUNCTION ledger_apply(c integer, s bigint, numbers integer[], events smallint[])
RETURNS TABLE (number integer, event smallint) LANGUAGE plpgsql AS $$
DECLARE fs integer[]; ns integer[]; xs smallint[];
BEGIN
    IF events = array_fill(events[1], ARRAY[cardinality(events)]) THEN
        SELECT r.firsts, r.counts, array_fill(events[1], ARRAY[cardinality(r.firsts)]) INTO fs, ns, xs FROM runs_of(numbers) r;
    ELSE
        SELECT array_agg(x ORDER BY g), array_agg(n ORDER BY g), array_agg(y ORDER BY g) INTO fs, ns, xs
          FROM (SELECT g, min(x) AS x, count(*)::integer AS n, min(y) AS y
                  FROM (SELECT x, y, sum(breaks) OVER (ORDER BY i) AS g
                          FROM (SELECT x, y, i, (x % 1000 = 0 OR x IS DISTINCT FROM lag(x) OVER w + 1
                                                 OR y IS DISTINCT FROM lag(y) OVER w)::int AS breaks
                                  FROM unnest(numbers, events) WITH ORDINALITY AS u(x, y, i) WINDOW w AS (ORDER BY i)) b) r
                 GROUP BY g) k;
    END IF;
    IF cardinality(fs) > 0 THEN
        RETURN QUERY SELECT * FROM ledger_apply_runs(c, s, fs, ns, xs);
    END IF;
END $$;

-- Applies one event to every number whose state is one of `froms`; how many those are.
CREATE OR REPLACE FUNCTION ledger_apply_where(c integer, s bigint, numbers integer[], froms integer[], code smallint)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    r record;
    at_page integer := -1; now_bytes bytea; used_now integer;
    o integer; rest integer; n integer; chosen integer := 0;
    fs integer[] := '{}'; ns integer[] := '{}';
BEGIN
    SELECT firsts, counts INTO r FROM runs_of(numbers);
    FOR i IN 1 .. cardinality(r.firsts) LOOP
        IF r.firsts[i] / 1000 <> at_page THEN
            at_page := r.firsts[i] / 1000; used_now := 0;
            SELECT p.states || ''::bytea, p.used INTO now_bytes, used_now FROM page p WHERE p.campaign = c AND p.page = at_page;
        END IF;
        o := r.firsts[i] % 1000; rest := least(r.counts[i], used_now - o);
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

-- States of numbers, in their order; 0 where there is none.
CREATE OR REPLACE FUNCTION states_of(c integer, numbers integer[]) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
DECLARE
    r record;
    at_page integer := -1; now_bytes bytea; o integer; n integer; known integer;
    found_bytes bytea := '';
BEGIN
    SELECT firsts, counts INTO r FROM runs_of(numbers);
    FOR i IN 1 .. cardinality(r.firsts) LOOP
        IF r.firsts[i] / 1000 <> at_page THEN
            at_page := r.firsts[i] / 1000; now_bytes := NULL;
            SELECT p.states || ''::bytea INTO now_bytes FROM page p WHERE p.campaign = c AND p.page = at_page;
        END IF;
        o := r.firsts[i] % 1000; n := r.counts[i];
        known := greatest(least(n, coalesce(length(now_bytes), 0) - o), 0);
        IF known > 0 THEN found_bytes := found_bytes || substr(now_bytes, o + 1, known); END IF;
        IF known < n THEN found_bytes := found_bytes || bytes_of(0, n - known); END IF;
    END LOOP;
    RETURN found_bytes;
END $$;

-- What a chunk is after its numbers moved, while nobody owns it.
CREATE OR REPLACE FUNCTION chunk_rest(c integer, numbers integer[]) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE b CONSTANT bytea := states_of(c, numbers);
BEGIN
    RETURN (SELECT CASE WHEN bool_or(state IN (state_code('waiting'), state_code('due'), state_code('asked'), state_code('doubt')))
                THEN 'ready'
                WHEN bool_or(state IN (state_code('held'), state_code('unknown'), state_code('needs_person')))
                THEN 'idle' ELSE 'done' END
      FROM (SELECT DISTINCT get_byte(b, i) & 15 AS state FROM generate_series(0, length(b) - 1) i) z);
END $$;

DROP FUNCTION queue_settle(integer, bigint, text, integer[], integer[], integer[], smallint[], smallint[], bigint[], smallint[]);

-- Commits outcomes: result facts for all, then the events of those that may still move a state (sentence 5):
-- revoked from any epoch, everything else only from the current epoch of the number's live claimed chunk.
-- Arrays of one length, one entry a run, ascending by chunk, epoch and number. Returns events without an edge.
CREATE FUNCTION queue_settle(c integer, at bigint, actor text, chunks integer[], epochs integer[], firsts integer[],
                             counts integer[], outcomes smallint[], codes smallint[], ca_ats bigint[], ca_reasons smallint[])
RETURNS TABLE (number integer, event smallint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    every_offset CONSTANT smallint[] := page_offsets();
    s bigint;
    fs integer[]; ns integer[]; es smallint[];
    offs smallint[] := '{}'; outs bytea := ''; ats bigint[] := '{}'; reasons smallint[] := '{}';
    o integer; n integer; top CONSTANT integer := cardinality(chunks);
    summary text;
BEGIN
    PERFORM 1 FROM chunk h WHERE h.campaign = c AND h.chunk = ANY (chunks) ORDER BY h.chunk FOR NO KEY UPDATE;
    PERFORM pages_lock(c, firsts);
    s := log_begin(c);
    FOR i IN 1 .. top LOOP
        o := firsts[i] % 1000; n := counts[i];
        offs := offs || every_offset[o + 1 : o + n];
        outs := outs || bytes_of(outcomes[i], n);
        ats := ats || array_fill(ca_ats[i], ARRAY[n]);
        reasons := reasons || array_fill(ca_reasons[i], ARRAY[n]);
        IF i = top OR (chunks[i + 1], epochs[i + 1], firsts[i + 1] / 1000) <> (chunks[i], epochs[i], firsts[i] / 1000) THEN
            INSERT INTO result SELECT c, s, firsts[i] / 1000, h.plan, h.chunk, epochs[i], offs, outs, ats, reasons
              FROM chunk h WHERE h.campaign = c AND h.chunk = chunks[i];
            offs := '{}'; outs := ''; ats := '{}'; reasons := '{}';
        END IF;
    END LOOP;
    SELECT array_agg(f ORDER BY i), array_agg(k ORDER BY i), array_agg(code ORDER BY i) INTO fs, ns, es
      FROM unnest(chunks, epochs, firsts, counts, codes) WITH ORDINALITY AS x(ch, ep, f, k, code, i)
      JOIN chunk h ON h.campaign = c AND h.chunk = x.ch
     WHERE code IN (event_code('revoked'), event_code('before')) OR (h.state = 'claimed' AND h.epoch = ep);
    IF fs IS NOT NULL THEN
        RETURN QUERY SELECT * FROM ledger_apply_runs(c, s, fs, ns, es);
    END IF;
    SELECT string_agg(format('"%s":%s', event_name(code), k), ',' ORDER BY event_name(code) COLLATE "C") INTO summary
      FROM (SELECT code, sum(k) AS k FROM unnest(codes, counts) AS u(code, k) GROUP BY code) AS y;
    UPDATE chunk h SET state = chunk_rest(c, h.numbers)
     WHERE h.campaign = c AND h.chunk = ANY (chunks) AND h.state IN ('ready', 'idle', 'done');
    PERFORM log_end(c, s, at, actor, 'settle', format('{"answers":{%s}}', summary));
END $$;
