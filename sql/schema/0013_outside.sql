-- What the world shows, seen from several edges: objects kept whole only where they prove something, the edges side by
-- side, and whole pages moved at once by what one CRL lists.

-- keep: proof (it moved states), anomaly (somebody must look) and latest (newest of its pointer) are there whole; of the
-- rest remain hash, size, dates, findings and headers.
ALTER TABLE object ADD COLUMN size bigint NOT NULL DEFAULT 0,
                   ADD COLUMN keep text NOT NULL DEFAULT 'anomaly' CHECK (keep IN ('proof', 'anomaly', 'latest', 'hash'));
UPDATE object o SET size = (SELECT coalesce(sum(length(p.bytes)), 0) FROM object_part p WHERE p.sha256 = o.sha256),
                    keep = CASE WHEN EXISTS (SELECT 1 FROM sighting g WHERE g.campaign = o.campaign AND g.object = o.object)
                                THEN 'proof' ELSE 'anomaly' END;
CREATE INDEX object_sha256 ON object (sha256);

-- What each edge of a pointer showed last: a URL of certificates, asked by one way. No fact: the objects are.
CREATE TABLE edge (
    campaign integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('crl', 'ocsp')),
    issuer integer NOT NULL,
    url text NOT NULL,
    vantage text NOT NULL,
    at bigint NOT NULL,
    status integer NOT NULL,
    problem text NOT NULL,
    headers text NOT NULL,
    sha256 bytea,
    size bigint NOT NULL,
    crl_number bytea,
    this_update bigint,
    next_update bigint,
    counts boolean NOT NULL,
    findings text NOT NULL,
    PRIMARY KEY (campaign, kind, issuer, url, vantage)
);

-- Notes what an edge showed. Findings that were not there at the last look, or are not there any more, are an event;
-- `data` is canonical JSON made by the program.
CREATE FUNCTION edge_note(c integer, kind text, iss integer, url text, vantage text, at bigint, status integer, problem text,
                          headers text, sha bytea, size bigint, crl_number bytea, this_update bigint, next_update bigint,
                          counts boolean, findings text, actor text, data text) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE before text;
BEGIN
    SELECT e.findings INTO before FROM edge e
     WHERE e.campaign = c AND e.kind = kind AND e.issuer = iss AND e.url = url AND e.vantage = vantage FOR UPDATE;
    INSERT INTO edge AS e VALUES (c, kind, iss, url, vantage, at, status, problem, headers, sha, size, crl_number, this_update,
                                  next_update, counts, findings)
        ON CONFLICT ON CONSTRAINT edge_pkey DO UPDATE
       SET at = excluded.at, status = excluded.status, problem = excluded.problem, headers = excluded.headers,
           sha256 = excluded.sha256, size = excluded.size, crl_number = excluded.crl_number,
           this_update = excluded.this_update, next_update = excluded.next_update, counts = excluded.counts,
           findings = excluded.findings;
    IF coalesce(before, '') = findings THEN
        RETURN false;
    END IF;
    PERFORM log_note(c, at, actor, 'finding', data);
    RETURN true;
END $$;

-- The same as ledger_apply for two events over whole pages: bit o of seen[i] and missing[i] (least significant first)
-- stands for number pages[i] * 1000 + o. A page of which every byte is the same, and every one seen, moves as one.
CREATE FUNCTION ledger_apply_pages(c integer, s bigint, pages integer[], seen bytea[], missing bytea[], saw integer,
                                   lost integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    edges CONSTANT bytea := ledger_table();
    buckets CONSTANT bytea := ledger_buckets();
    kinds CONSTANT integer := event_count();
    doubt_state CONSTANT integer := state_code('doubt');
    person_state CONSTANT integer := state_code('needs_person');
    everyone CONSTANT bytea := decode(repeat('ff', 125), 'hex');
    all_offsets CONSTANT smallint[] := ARRAY(SELECT o::smallint FROM generate_series(0, 999) o);
    every_byte CONSTANT bytea := decode((SELECT string_agg(lpad(to_hex(b), 2, '0'), '' ORDER BY b) FROM generate_series(0, 255) b), 'hex');
    p page%ROWTYPE;
    counts integer[];
    offs smallint[]; codes bytea; befores bytea; afters bytea; whole bytea;
    old integer; new integer; nth smallint; moved record;
BEGIN
    FOR k IN 1 .. cardinality(pages) LOOP
        SELECT * INTO p FROM page WHERE page.campaign = c AND page.page = pages[k];
        CONTINUE WHEN NOT FOUND;
        IF p.used = 1000 AND seen[k] = everyone AND ltrim(p.states, substr(p.states, 1, 1)) = ''
           AND ltrim(p.needs, substr(p.needs, 1, 1)) = '' THEN
            old := get_byte(p.states, 0);
            new := get_byte(edges, (get_byte(p.needs, 0) * kinds + saw) * 256 + old);
            CONTINUE WHEN new = 0 OR new = old;
            offs := all_offsets;
            befores := p.states;
            afters := decode(repeat(lpad(to_hex(new), 2, '0'), 1000), 'hex');
            codes := decode(repeat(lpad(to_hex(saw), 2, '0'), 1000), 'hex');
            whole := afters;
        ELSE
            SELECT string_agg(substr(every_byte, CASE WHEN y.new > 0 THEN y.new ELSE y.old END + 1, 1), ''::bytea),
                   array_agg(y.o::smallint) FILTER (WHERE y.moves),
                   string_agg(substr(every_byte, y.event + 1, 1), ''::bytea) FILTER (WHERE y.moves),
                   string_agg(substr(every_byte, y.old + 1, 1), ''::bytea) FILTER (WHERE y.moves),
                   string_agg(substr(every_byte, y.new + 1, 1), ''::bytea) FILTER (WHERE y.moves)
              INTO whole, offs, codes, befores, afters
              FROM (SELECT z.o, z.old, z.event, z.new, z.new > 0 AND z.new <> z.old AS moves
                      FROM (SELECT x.o, x.old, x.event,
                                   CASE WHEN x.event IS NULL THEN 0
                                        ELSE get_byte(edges, (x.needs * kinds + x.event) * 256 + x.old) END AS new
                              FROM (SELECT o, get_byte(p.states, o) AS old, get_byte(p.needs, o) AS needs,
                                           CASE WHEN get_bit(seen[k], o) = 1 THEN saw
                                                WHEN get_bit(missing[k], o) = 1 THEN lost END AS event
                                      FROM generate_series(0, p.used - 1) o) x) z) y;
            CONTINUE WHEN offs IS NULL;
        END IF;
        counts := ARRAY[p.revoked, p.pending_publication, p.not_revoked, p.held, p.expired, p.unknown, p.withdrawn];
        FOR moved IN SELECT get_byte(befores, i) & 15 AS b, get_byte(afters, i) & 15 AS a, count(*)::integer AS n
                       FROM generate_series(0, length(befores) - 1) i GROUP BY 1, 2 LOOP
            counts[get_byte(buckets, moved.b)] := counts[get_byte(buckets, moved.b)] - moved.n;
            counts[get_byte(buckets, moved.a)] := counts[get_byte(buckets, moved.a)] + moved.n;
            p.doubt := p.doubt + moved.n * ((moved.a = doubt_state)::int - (moved.b = doubt_state)::int);
            p.needs_person := p.needs_person + moved.n * ((moved.a = person_state)::int - (moved.b = person_state)::int);
        END LOOP;
        UPDATE page SET states = whole, revoked = counts[1], pending_publication = counts[2],
               not_revoked = counts[3], held = counts[4], expired = counts[5], unknown = counts[6],
               withdrawn = counts[7], doubt = p.doubt, needs_person = p.needs_person,
               canary_open = canaries_open(whole, p.canaries)
         WHERE page.campaign = c AND page.page = pages[k];
        SELECT coalesce(max(step) + 1, 0) INTO nth FROM change
         WHERE change.campaign = c AND change.seq = s AND change.page = pages[k];
        INSERT INTO change VALUES (c, s, nth, pages[k], offs, codes, befores, afters);
    END LOOP;
END $$;

-- Objects of a pointer that are only its former latest lose their bytes; bytes that another one is kept whole for stay.
CREATE FUNCTION object_thin(c integer, kind text, url text, iss integer, newest integer) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE old record;
BEGIN
    FOR old IN UPDATE object b SET keep = 'hash'
                WHERE b.campaign = c AND b.kind = kind AND b.url = url AND b.issuer = iss AND b.keep = 'latest'
                  AND b.object <> newest RETURNING b.sha256 LOOP
        DELETE FROM object_part x WHERE x.sha256 = old.sha256
           AND NOT EXISTS (SELECT 1 FROM object o WHERE o.sha256 = old.sha256 AND o.keep <> 'hash');
    END LOOP;
END $$;

DROP FUNCTION sight(integer, text, text, integer, integer, bytea, bigint, boolean, bytea, bigint, bigint, text, integer[],
                    integer[], text);
DROP FUNCTION object_add(integer, text, text, integer, integer, bytea, bigint, boolean, bytea, bigint, bigint, text);
DROP FUNCTION bitmap(integer[]);

-- Keeps a fetched object whose bytes are in object_part already; one that is known is not kept twice. An object that does
-- not count (a finding forbids it) or is older than the newest that counted for its pointer moves no state: `fresh` tells.
-- One lock for all campaigns makes that check, the sightings of the same transaction and the thinning one. `object` 0: the
-- bytes are not there (any more): put them, and come again.
CREATE FUNCTION object_add(c integer, kind text, url text, iss integer, n integer, sha bytea, size bigint, at bigint,
                           counts boolean, anomaly boolean, moves boolean, crl_number bytea, this_update bigint,
                           next_update bigint, findings text)
RETURNS TABLE (object integer, fresh boolean, known boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    o integer; newest record; is_fresh boolean := counts; is_known boolean; why text;
    padded bytea := CASE WHEN crl_number IS NULL THEN NULL ELSE
        decode(repeat('00', greatest(0, 20 - length(crl_number))), 'hex') || crl_number END;
BEGIN
    PERFORM pg_advisory_xact_lock(lock_class('object'), 0);
    SELECT b.crl_number, b.this_update INTO newest FROM object b
     WHERE b.campaign = c AND b.kind = kind AND b.url = url AND b.issuer = iss AND b.number IS NOT DISTINCT FROM n AND b.counts
     ORDER BY b.crl_number DESC NULLS LAST, b.this_update DESC LIMIT 1;
    IF FOUND AND is_fresh THEN
        is_fresh := (coalesce(padded, ''), this_update) >= (coalesce(newest.crl_number, ''), newest.this_update);
    END IF;
    why := CASE WHEN is_fresh AND moves THEN 'proof' WHEN anomaly OR NOT is_fresh THEN 'anomaly' ELSE 'latest' END;
    SELECT b.object INTO o FROM object b WHERE b.campaign = c AND b.kind = kind AND b.url = url AND b.issuer = iss
       AND b.number IS NOT DISTINCT FROM n AND b.sha256 = sha AND b.counts = counts ORDER BY b.object LIMIT 1;
    is_known := FOUND;
    IF (NOT is_known OR moves)
       AND (SELECT coalesce(sum(length(x.bytes)), -1) FROM object_part x WHERE x.sha256 = sha) <> size THEN
        RETURN QUERY SELECT 0, false, is_known;
        RETURN;
    END IF;
    IF is_known THEN
        UPDATE object b SET keep = why
         WHERE b.campaign = c AND b.object = o AND why = 'proof' AND b.keep <> 'proof';
    ELSE
        SELECT coalesce(max(b.object), 0) + 1 INTO o FROM object b WHERE b.campaign = c;
        INSERT INTO object VALUES (c, o, kind, url, iss, n, sha, at, counts, padded, this_update, next_update, findings, size, why);
        IF is_fresh THEN
            PERFORM object_thin(c, kind, url, iss, o);
        END IF;
    END IF;
    RETURN QUERY SELECT o, is_fresh, is_known;
END $$;

-- One object and what it showed, in one transaction: sightings as bitmaps a page (125 bytes, least significant bit first),
-- and the events of those numbers.
CREATE FUNCTION sight(c integer, kind text, url text, iss integer, n integer, sha bytea, size bigint, at bigint,
                      counts boolean, anomaly boolean, crl_number bytea, this_update bigint, next_update bigint,
                      findings text, pages integer[], seen bytea[], missing bytea[], seen_count bigint,
                      missing_count bigint, actor text)
RETURNS TABLE (object integer, fresh boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    o integer; is_fresh boolean; is_known boolean; s bigint;
BEGIN
    SELECT a.object, a.fresh, a.known INTO o, is_fresh, is_known
      FROM object_add(c, kind, url, iss, n, sha, size, at, counts, anomaly, cardinality(pages) > 0, crl_number, this_update,
                      next_update, findings) a;
    IF o = 0 OR (is_known AND (cardinality(pages) = 0 OR NOT is_fresh)) THEN
        RETURN QUERY SELECT o, is_fresh;
        RETURN;
    END IF;
    IF NOT is_fresh OR cardinality(pages) = 0 THEN
        PERFORM log_note(c, at, actor, 'object', format('{"counts":%s,"kind":"%s","object":%s,"sha256":"%s"}',
                                                        counts::text, kind, o, encode(sha, 'hex')));
        RETURN QUERY SELECT o, is_fresh;
        RETURN;
    END IF;
    PERFORM 1 FROM page p WHERE p.campaign = c AND p.page = ANY (pages) ORDER BY p.page FOR NO KEY UPDATE;
    s := log_begin(c);
    INSERT INTO sighting SELECT c, s, u.page, o, u.seen, u.missing FROM unnest(pages, seen, missing) u(page, seen, missing);
    PERFORM ledger_apply_pages(c, s, pages, seen, missing,
                               event_code(CASE WHEN kind = 'crl' THEN 'saw_crl' ELSE 'saw_ocsp' END),
                               event_code(CASE WHEN kind = 'crl' THEN 'lost_crl' ELSE 'lost_ocsp' END));
    PERFORM log_end(c, s, at, actor, 'sighting',
                    format('{"kind":"%s","missing":%s,"object":%s,"seen":%s,"sha256":"%s"}', kind, missing_count, o,
                           seen_count, encode(sha, 'hex')));
    RETURN QUERY SELECT o, true;
END $$;

-- For each number of these pages that the CA answered for: the first revocation date it told (NULL: none), and when its
-- last answer was committed.
CREATE FUNCTION told_dates(c integer, only_pages integer[]) RETURNS TABLE (number integer, told bigint, settled bigint)
LANGUAGE sql STABLE AS $$
    SELECT r.page * 1000 + u.o, min(u.at) FILTER (WHERE u.at > 0), max(e.at)
      FROM result r JOIN event e USING (campaign, seq) CROSS JOIN LATERAL unnest(r.offsets, r.ca_at) u(o, at)
     WHERE r.campaign = c AND r.page = ANY (only_pages) GROUP BY 1
$$;
