-- What a look at a large campaign takes over from the look before it, so that status costs the same for a thousand
-- certificates and for ten million. Nothing here is a fact and nothing of the ledger follows from it: what is missing or no
-- longer holds is counted anew from the rows. Reports never look here.

-- What a campaign came to when its log had seq events, with the stamps of the inventory and the contacts that its
-- certificates were joined with, and what its pages counted as withdrawn. body: JSON of the program.
CREATE TABLE kept (
    campaign integer PRIMARY KEY REFERENCES campaign,
    seq bigint NOT NULL,
    inventory bigint NOT NULL,
    contact bigint NOT NULL,
    withdrawn bigint NOT NULL,
    body text NOT NULL
);

-- The daily work of engines. All other events are few, and only they change which certificates there are and what is dealt.
-- (A drop that was noted is applied by daily work: the pages' counters tell that.)
CREATE FUNCTION is_daily(type text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT type IN ('claim', 'settle', 'give_back', 'sighting', 'object', 'notices', 'alert', 'alert_ack', 'alert_clear', 'ack')
$$;
CREATE INDEX event_rare ON event (campaign, seq) WHERE NOT is_daily(type);

-- How many numbers a chunk has, without reading them.
ALTER TABLE chunk ADD COLUMN size integer NOT NULL GENERATED ALWAYS AS (cardinality(numbers)) STORED;
CREATE INDEX chunk_work ON chunk (campaign, cohort, due_at, chunk) INCLUDE (ca, size) WHERE state IN ('ready', 'claimed');
CREATE INDEX chunk_slot ON chunk (campaign, cohort, slot_start) WHERE state <> 'closed';
CREATE INDEX notice_subscriber ON notice (campaign, subscriber);
CREATE INDEX page_withdrawn ON page (campaign, page) WHERE withdrawn > 0;

-- Withdrawn certificates by the pages.
CREATE FUNCTION pages_withdrawn(c integer) RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT coalesce(sum(withdrawn), 0) FROM page WHERE campaign = c AND withdrawn > 0 $$;

-- Keeps it, unless somebody kept a later one.
CREATE FUNCTION kept_put(c integer, seq bigint, inventory bigint, contact bigint, withdrawn bigint, body text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO kept VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (campaign) DO UPDATE SET seq = excluded.seq, inventory = excluded.inventory, contact = excluded.contact,
           withdrawn = excluded.withdrawn, body = excluded.body
     WHERE kept.seq <= excluded.seq
$$;

-- How fast each CA is, as before, from the newest answers; good holds 0. What is wide is read only of those that count.
-- Mostly all of a chunk's are good, and nothing is left when good ones are trimmed off; else, as answers are below 16, in
-- hex each good one leaves nothing when the digits of good ones are struck out.
CREATE OR REPLACE FUNCTION measured(c integer, at bigint, good integer[], doubtful bytea)
RETURNS TABLE (ca smallint, certificates bigint, seconds bigint) LANGUAGE sql STABLE AS $$
    WITH bounded AS (
        SELECT n.seq, e.at, n.page, n.chunk, n.epoch, n.n, r.outcomes
          FROM (SELECT *, sum(n) OVER (ORDER BY seq DESC, chunk, page) - n AS newer
                  FROM (SELECT seq, page, chunk, epoch, length(outcomes) AS n
                          FROM result WHERE campaign = c ORDER BY seq DESC LIMIT 400) x) n
         CROSS JOIN LATERAL (SELECT at FROM event x WHERE x.campaign = c AND x.seq = n.seq OFFSET 0) e
         CROSS JOIN LATERAL (SELECT outcomes FROM result x WHERE x.campaign = c AND x.page = n.page AND x.seq = n.seq
                                AND x.chunk = n.chunk AND x.epoch = n.epoch OFFSET 0) r
         WHERE n.newer < 20000 AND e.at > $2 - 10800 AND e.at <= $2
    ), tries AS (
        SELECT h.ca, b.at,
               greatest(h.due_at, least(b.at - 120, CASE WHEN b.epoch = h.epoch THEN h.claimed_at END)) AS since,
               b.n - CASE WHEN ltrim(b.outcomes, (SELECT string_agg(set_byte('\x00', 0, g), '') FROM unnest(good) g)) = '' THEN 0
                     ELSE length(translate(encode(b.outcomes, 'hex'), (SELECT string_agg(to_hex(g), '') FROM unnest(good) g), ''))
                     END AS done,
               coalesce(bool_or(position(doubtful IN b.outcomes) > 0)
                            OVER (PARTITION BY b.chunk ORDER BY b.seq, b.page ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
                        false) AS after_doubt
          FROM bounded b
         CROSS JOIN LATERAL (SELECT ca, due_at, epoch, claimed_at FROM chunk x
                              WHERE x.campaign = c AND x.chunk = b.chunk OFFSET 0) h
    ), summed AS (
        SELECT ca, sum(done)::bigint AS certificates,
               range_agg(int8range(least(since, at), at)) FILTER (WHERE done > 0 AND NOT after_doubt) AS busy
          FROM tries GROUP BY ca
    )
    SELECT ca, certificates, (SELECT coalesce(sum(upper(x) - lower(x)), 0)::bigint FROM unnest(busy) x)
      FROM summed
$$;

-- The dealt work at rates, as before. A chunk ends when the CA has done it and all before it, counted from the chunk
-- that made it wait last. Where one cohort alone runs, its last chunk is the last of all: one running sum is enough.
ALTER FUNCTION pace(integer, bigint, smallint[], bigint[], bigint[]) RENAME TO pace_each;
CREATE FUNCTION cohorts_running(c integer) RETURNS integer[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(cohort), '{}') FROM cohort WHERE campaign = c AND started_at IS NOT NULL AND voided_at IS NULL
$$;
CREATE FUNCTION pace(c integer, at bigint, cas smallint[], certs bigint[], secs bigint[])
RETURNS TABLE (cohort integer, ca smallint, remaining bigint, planned bigint, finish bigint) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    running CONSTANT integer[] := cohorts_running(c);
    n bigint; -- certificates in s seconds
    s bigint;
BEGIN
    IF cardinality(running) > 1 THEN
        RETURN QUERY SELECT * FROM pace_each(c, $2, cas, certs, secs);
        RETURN;
    END IF;
    FOR i IN 1 .. cardinality(cas) LOOP
        n := certs[i];
        s := secs[i];
        RETURN QUERY
        SELECT running[1], cas[i], max(x.upto), max(x.due_at),
               (max(greatest(x.due_at, $2) * n - (x.upto - x.size) * s) + max(x.upto) * s + n - 1) / n
          FROM (SELECT h.due_at, h.size, sum(h.size) OVER (ORDER BY h.due_at, h.chunk ROWS UNBOUNDED PRECEDING) AS upto
                  FROM chunk h
                 WHERE h.campaign = c AND h.cohort = running[1] AND h.state IN ('ready', 'claimed') AND h.ca = cas[i]) x
        HAVING count(*) > 0;
    END LOOP;
END $$;
