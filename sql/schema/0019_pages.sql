-- A CRL that lists most of a page moves it in a handful of operations over all of its bytes, whatever mixture of states
-- and needs it holds: bytes are compared and chosen as bit strings, eight bits a byte.

-- Bytes as a bit string, and back.
CREATE FUNCTION bits_of(bytes bytea) RETURNS varbit LANGUAGE sql IMMUTABLE AS $$ SELECT ('x' || encode(bytes, 'hex'))::varbit $$;
CREATE FUNCTION bytes_of(bits varbit) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT substr(varbit_send(bits), 5) $$;

-- For each byte its eight bits, least significant first, as eight bytes 00 or ff.
CREATE FUNCTION bitmap_bytes() RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT decode(string_agg(CASE WHEN (v >> b) & 1 = 1 THEN 'ff' ELSE '00' END, '' ORDER BY v, b), 'hex')
      FROM generate_series(0, 255) v, generate_series(0, 7) b
$$;

-- Bits of some pages (least significant first; bit o of seen[i] and missing[i] is number pages[i] * 1000 + o) as events, by
-- the same table as ledger_apply, which takes those with few bits. A full page of which every byte is the same, and every
-- one seen, moves as one; any other with many bits in one operation for each state, need and event that meet there.
CREATE OR REPLACE FUNCTION ledger_apply_pages(c integer, s bigint, pages integer[], seen bytea[], missing bytea[],
                                              saw smallint, lost smallint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    few CONSTANT integer := 200;
    edges CONSTANT bytea := ledger_table();
    buckets CONSTANT bytea := ledger_buckets();
    kinds CONSTANT integer := event_count();
    doubt_state CONSTANT integer := state_code('doubt');
    person_state CONSTANT integer := state_code('needs_person');
    everyone CONSTANT bytea := decode(repeat('ff', 125), 'hex');
    nobody CONSTANT bytea := decode(repeat('00', 125), 'hex');
    all_offsets CONSTANT smallint[] := page_offsets();
    spread CONSTANT bytea := bitmap_bytes();
    p page%ROWTYPE;
    counts integer[];
    rest integer[] := '{}'; rest_events smallint[] := '{}';
    offs smallint[]; codes bytea; befores bytea; afters bytea; whole bytea; moved_bytes bytea;
    now_bits varbit; after_bits varbit; code_bits varbit; moved varbit; ones varbit; lows varbit; todo varbit; alike varbit;
    hit varbit; bits varbit;
    masks varbit[]; rows integer[]; events smallint[]; -- of (need, event): positions, row of the table, event
    old integer; new integer; o integer; n integer; nth smallint;
BEGIN
    FOR k IN 1 .. cardinality(pages) LOOP
        SELECT * INTO p FROM page WHERE page.campaign = c AND page.page = pages[k];
        CONTINUE WHEN NOT FOUND;
        IF bit_count(seen[k]) + bit_count(missing[k]) <= few THEN
            SELECT rest || array_agg(pages[k] * 1000 + u.o),
                   rest_events || array_agg(CASE WHEN get_bit(seen[k], u.o) = 1 THEN saw ELSE lost END)
              INTO rest, rest_events
              FROM generate_series(0, 999) u(o) WHERE get_bit(seen[k], u.o) = 1 OR get_bit(missing[k], u.o) = 1;
            CONTINUE;
        END IF;
        counts := ARRAY[p.revoked, p.pending_publication, p.not_revoked, p.held, p.expired, p.unknown, p.withdrawn];
        p.states := p.states || ''::bytea; p.needs := p.needs || ''::bytea; -- as they are, not compressed
        IF p.used = 1000 AND seen[k] = everyone AND ltrim(p.states, substr(p.states, 1, 1)) = ''
           AND ltrim(p.needs, substr(p.needs, 1, 1)) = '' THEN
            old := get_byte(p.states, 0);
            new := get_byte(edges, (get_byte(p.needs, 0) * kinds + saw) * 256 + old);
            CONTINUE WHEN new = 0 OR new = old;
            offs := all_offsets;
            codes := bytes_of(saw::integer, 1000);
            befores := p.states;
            afters := bytes_of(new, 1000);
            whole := afters;
            counts[get_byte(buckets, old & 15)] := counts[get_byte(buckets, old & 15)] - 1000;
            counts[get_byte(buckets, new & 15)] := counts[get_byte(buckets, new & 15)] + 1000;
            p.doubt := p.doubt + 1000 * ((new & 15 = doubt_state)::int - (old & 15 = doubt_state)::int);
            p.needs_person := p.needs_person + 1000 * ((new & 15 = person_state)::int - (old & 15 = person_state)::int);
        ELSE
            ones := bits_of(bytes_of(255, p.used)); lows := bits_of(bytes_of(1, p.used));
            -- who meets which event
            masks := '{}'; rows := '{}'; events := '{}'; todo := ones;
            FOR e IN 1 .. 2 LOOP
                whole := CASE WHEN e = 1 THEN seen[k] ELSE missing[k] END;
                CONTINUE WHEN whole = nobody;
                IF whole = everyone THEN
                    bits := todo;
                ELSE
                    SELECT todo & bits_of(substr(string_agg(substr(spread, 8 * get_byte(whole, i) + 1, 8), ''::bytea ORDER BY i),
                                                 1, p.used))
                      INTO bits FROM generate_series(0, 124) i;
                END IF;
                todo := todo & ~bits;
                -- by need, of which each byte is 0 to 3
                FOR need IN 0 .. 3 LOOP
                    hit := (bits_of(p.needs) # bits_of(bytes_of(need, p.used)));
                    hit := (hit | (hit >> 1)) & lows;
                    hit := hit | (hit << 1); hit := hit | (hit << 2); hit := hit | (hit << 4);
                    hit := bits & ~hit;
                    CONTINUE WHEN bit_count(hit) = 0;
                    masks := masks || hit;
                    events := events || CASE WHEN e = 1 THEN saw ELSE lost END;
                    rows := rows || (need * kinds + CASE WHEN e = 1 THEN saw ELSE lost END);
                END LOOP;
            END LOOP;
            -- by what they are
            now_bits := bits_of(p.states);
            after_bits := now_bits; code_bits := ones & ~ones; moved := code_bits; todo := ones & ~todo;
            LOOP
                o := position(B'1'::varbit IN todo);
                EXIT WHEN o = 0;
                old := get_byte(p.states, (o - 1) / 8);
                alike := now_bits # bits_of(bytes_of(old, p.used));
                alike := alike | (alike >> 4); alike := alike | (alike >> 2); alike := (alike | (alike >> 1)) & lows;
                alike := alike | (alike << 1); alike := alike | (alike << 2); alike := todo & ~(alike | (alike << 4));
                todo := todo & ~alike;
                FOR i IN 1 .. cardinality(masks) LOOP
                    hit := alike & masks[i];
                    n := bit_count(hit) / 8;
                    new := CASE WHEN n = 0 THEN 0 ELSE get_byte(edges, rows[i] * 256 + old) END;
                    CONTINUE WHEN new = 0 OR new = old;
                    moved := moved | hit;
                    after_bits := (after_bits & ~hit) | (hit & bits_of(bytes_of(new, p.used)));
                    code_bits := code_bits | (hit & bits_of(bytes_of(events[i]::integer, p.used)));
                    counts[get_byte(buckets, old & 15)] := counts[get_byte(buckets, old & 15)] - n;
                    counts[get_byte(buckets, new & 15)] := counts[get_byte(buckets, new & 15)] + n;
                    p.doubt := p.doubt + n * ((new & 15 = doubt_state)::int - (old & 15 = doubt_state)::int);
                    p.needs_person := p.needs_person + n * ((new & 15 = person_state)::int - (old & 15 = person_state)::int);
                END LOOP;
            END LOOP;
            -- those that moved, run after run
            moved_bytes := bytes_of(moved); whole := bytes_of(after_bits);
            offs := '{}'; codes := ''; befores := ''; afters := ''; o := 1;
            WHILE o <= p.used LOOP
                n := position('\xff'::bytea IN substr(moved_bytes, o));
                EXIT WHEN n = 0;
                o := o + n - 1;
                n := position('\x00'::bytea IN substr(moved_bytes, o)) - 1;
                n := CASE WHEN n < 0 THEN p.used - o + 1 ELSE n END;
                offs := offs || all_offsets[o : o + n - 1];
                codes := codes || substr(bytes_of(code_bits), o, n);
                befores := befores || substr(p.states, o, n);
                afters := afters || substr(whole, o, n);
                o := o + n;
            END LOOP;
            CONTINUE WHEN offs = '{}';
        END IF;
        UPDATE page SET states = whole, revoked = counts[1], pending_publication = counts[2],
               not_revoked = counts[3], held = counts[4], expired = counts[5], unknown = counts[6],
               withdrawn = counts[7], doubt = p.doubt, needs_person = p.needs_person,
               canary_open = CASE WHEN p.canaries = '{}' THEN 0 ELSE canaries_open(whole, p.canaries) END
         WHERE page.campaign = c AND page.page = pages[k];
        SELECT coalesce(max(step) + 1, 0) INTO nth FROM change
         WHERE change.campaign = c AND change.seq = s AND change.page = pages[k];
        INSERT INTO change VALUES (c, s, nth, pages[k], offs, codes, befores, afters);
    END LOOP;
    PERFORM ledger_apply(c, s, rest, rest_events);
END $$;
