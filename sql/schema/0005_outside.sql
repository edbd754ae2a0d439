-- What the world shows and what people were told: objects, sightings, notices, acknowledgements.

-- Keeps a fetched object; its bytes are in object_part already. An object that does not count (a finding forbids it)
-- or is older than the newest that counted for its pointer moves no state: `fresh` tells. The pointer's advisory
-- lock makes that check and the sightings of the same transaction one.
CREATE FUNCTION object_add(c integer, kind text, url text, iss integer, n integer, sha bytea, at bigint, counts boolean,
                           crl_number bytea, this_update bigint, next_update bigint, findings text)
RETURNS TABLE (object integer, fresh boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    o integer; newest record; is_fresh boolean := counts;
    padded bytea := CASE WHEN crl_number IS NULL THEN NULL ELSE
        decode(repeat('00', greatest(0, 20 - length(crl_number))), 'hex') || crl_number END;
BEGIN
    PERFORM pg_advisory_xact_lock(lock_class('object'), c);
    SELECT b.crl_number, b.this_update INTO newest FROM object b
     WHERE b.campaign = c AND b.kind = $2 AND b.url = $3 AND b.issuer = iss AND b.number IS NOT DISTINCT FROM n AND b.counts
     ORDER BY b.crl_number DESC NULLS LAST, b.this_update DESC LIMIT 1;
    IF FOUND AND is_fresh THEN
        is_fresh := (coalesce(padded, ''), this_update) >= (coalesce(newest.crl_number, ''), newest.this_update);
    END IF;
    SELECT coalesce(max(b.object), 0) + 1 INTO o FROM object b WHERE b.campaign = c;
    INSERT INTO object VALUES (c, o, kind, url, iss, n, sha, at, counts, padded, this_update, next_update, findings);
    RETURN QUERY SELECT o, is_fresh;
END $$;

-- One object and what it showed, in one transaction: sightings as bitmaps a page, and the events of those numbers.
CREATE FUNCTION sight(c integer, kind text, url text, iss integer, n integer, sha bytea, at bigint, counts boolean,
                      crl_number bytea, this_update bigint, next_update bigint, findings text,
                      seen integer[], missing integer[], actor text)
RETURNS TABLE (object integer, fresh boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    o integer; is_fresh boolean; s bigint;
    all_numbers integer[] := seen || missing;
    saw smallint := event_code(CASE WHEN kind = 'crl' THEN 'saw_crl' ELSE 'saw_ocsp' END);
    lost smallint := event_code(CASE WHEN kind = 'crl' THEN 'lost_crl' ELSE 'lost_ocsp' END);
BEGIN
    SELECT a.object, a.fresh INTO o, is_fresh
      FROM object_add(c, kind, url, iss, n, sha, at, counts, crl_number, this_update, next_update, findings) a;
    IF NOT is_fresh THEN
        PERFORM log_note(c, at, actor, 'object', format('{"counts":%s,"kind":"%s","object":%s,"sha256":"%s"}',
                                                        counts::text, kind, o, encode(sha, 'hex')));
        RETURN QUERY SELECT o, false;
        RETURN;
    END IF;
    PERFORM pages_lock(c, all_numbers);
    s := log_begin(c);
    INSERT INTO sighting
    SELECT c, s, x / 1000, o, bitmap(array_agg(x % 1000) FILTER (WHERE hit)), bitmap(array_agg(x % 1000) FILTER (WHERE NOT hit))
      FROM (SELECT unnest(seen) AS x, true AS hit UNION ALL SELECT unnest(missing), false) u GROUP BY x / 1000;
    PERFORM ledger_apply(c, s, all_numbers,
                         array_fill(saw, ARRAY[cardinality(seen)]) || array_fill(lost, ARRAY[cardinality(missing)]));
    PERFORM log_end(c, s, at, actor, 'sighting',
                    format('{"kind":"%s","missing":%s,"object":%s,"seen":%s,"sha256":"%s"}', kind, cardinality(missing), o,
                           cardinality(seen), encode(sha, 'hex')));
    RETURN QUERY SELECT o, true;
END $$;

-- 125 bytes, bit i (least significant first in each byte) set for each offset i.
CREATE FUNCTION bitmap(offsets integer[]) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE b bytea := decode(repeat('00', 125), 'hex'); i integer;
BEGIN
    FOREACH i IN ARRAY coalesce(offsets, '{}') LOOP b := set_bit(b, i, 1); END LOOP;
    RETURN b;
END $$;

-- The notice of a kind to a contact about a cohort: one row, one number, and so one Message-ID, for ever.
CREATE FUNCTION notice_begin(c integer, h integer, sub text, con bigint, k text, at bigint)
RETURNS TABLE (notice integer, first_at bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE n integer;
BEGIN
    PERFORM 1 FROM campaign g WHERE g.campaign = c FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT 1 FROM notice x WHERE x.campaign = c AND x.cohort = h AND x.contact = con AND x.kind = k) THEN
        SELECT coalesce(max(x.notice), 0) + 1 INTO n FROM notice x WHERE x.campaign = c;
        INSERT INTO notice VALUES (c, n, h, sub, con, k, $6);
    END IF;
    RETURN QUERY SELECT x.notice, x.at FROM notice x WHERE x.campaign = c AND x.cohort = h AND x.contact = con AND x.kind = k;
END $$;

-- Outcomes of tries, one row per recipient and attempt.
CREATE FUNCTION notice_tried(c integer, notices integer[], outcomes text[], texts text[], at bigint, actor text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE s bigint;
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    s := log_begin(c);
    INSERT INTO notice_try
    SELECT c, s, n, (SELECT count(*) + 1 FROM notice_try t WHERE t.campaign = c AND t.notice = n), o, at, x
      FROM unnest(notices, outcomes, texts) u(n, o, x);
    PERFORM log_end(c, s, at, actor, 'notices', format('{"tries":%s}', cardinality(notices)));
END $$;

CREATE FUNCTION ack_add(c integer, sub text, at bigint, actor text, txt text, data text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE known boolean;
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    known := EXISTS (SELECT 1 FROM ack a WHERE a.campaign = c AND a.subscriber = sub);
    INSERT INTO ack AS a VALUES (c, sub, at, actor, txt) ON CONFLICT (campaign, subscriber)
        DO UPDATE SET at = greatest(a.at, excluded.at), author = excluded.author, text = excluded.text;
    PERFORM log_note(c, at, actor, 'ack', data);
    RETURN NOT known;
END $$;
