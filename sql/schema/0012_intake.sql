-- What certificates say of themselves, and how names compare.

-- As inventory_merge, but what the inventory has stays: a certificate only fills gaps, and names no subscriber.
CREATE FUNCTION inventory_learn(c integer, at bigint, actor text, staged bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    PERFORM pg_advisory_xact_lock(lock_class('inventory'), 0);
    UPDATE staging_inventory s
       SET subscriber = v.subscriber, subject = coalesce(nullif(v.subject, ''), s.subject),
           not_before = coalesce(v.not_before, s.not_before), not_after = coalesce(v.not_after, s.not_after),
           cert_sha256 = coalesce(v.cert_sha256, s.cert_sha256), precert_sha256 = coalesce(v.precert_sha256, s.precert_sha256),
           spki_sha256 = coalesce(v.spki_sha256, s.spki_sha256), dns_names = coalesce(nullif(v.dns_names, ''), s.dns_names),
           type = coalesce(nullif(v.type, ''), s.type), cdp = coalesce(nullif(v.cdp, ''), s.cdp),
           ocsp = coalesce(nullif(v.ocsp, ''), s.ocsp), certificate_file = v.certificate_file
      FROM inventory v WHERE v.issuer = s.issuer AND v.serial = s.serial;
    PERFORM inventory_merge(c, at, actor, staged);
END $$;

-- A list of names in one order and case: certificates for the same names are siblings, however each lists them.
CREATE FUNCTION names_sorted(names text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(n, ' ' ORDER BY n) FROM unnest(string_to_array(lower(names), ' ')) n
$$;

-- As before, but the subscriber of what no ledger has is looked up for the rows that are told alone: joined to the whole
-- comparison, the rows without a place in the list all met in one bucket of the hash.
CREATE OR REPLACE FUNCTION population_reconcile(c integer, most bigint)
RETURNS TABLE (same bigint, added bigint, dropped bigint, is_added boolean, issuer integer, serial bytea, excluded text,
               withdrawn boolean, state integer, subscriber text, version integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH d AS MATERIALIZED (
        SELECT coalesce(s.issuer, k.issuer) AS issuer, coalesce(s.serial, k.serial) AS serial, s.serial IS NOT NULL AS listed,
               k.serial IS NOT NULL AND NOT k.withdrawn AS held, k.marks & 4 <> 0 AS by_key, k.excluded, k.withdrawn, k.id,
               k.subscriber, coalesce(k.version, 0) AS version
          FROM staging s FULL JOIN (SELECT * FROM certificate t WHERE t.campaign = c) k
            ON k.issuer = s.issuer AND k.serial = s.serial
    ), apart AS MATERIALIZED (
        (SELECT * FROM d WHERE listed AND NOT held ORDER BY issuer, serial LIMIT most)
        UNION ALL
        (SELECT * FROM d WHERE held AND NOT listed AND NOT by_key ORDER BY issuer, serial LIMIT most)
    )
    SELECT count(*) FILTER (WHERE listed AND held), count(*) FILTER (WHERE listed AND NOT held),
           count(*) FILTER (WHERE held AND NOT listed AND NOT by_key), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM d
    UNION ALL
    (SELECT NULL, NULL, NULL, a.listed, a.issuer, a.serial, a.excluded, a.withdrawn, certificate_state(c, a.id),
           coalesce(a.subscriber, v.subscriber, ''), a.version
      FROM apart a LEFT JOIN inventory v ON v.issuer = a.issuer AND v.serial = a.serial
     ORDER BY a.listed DESC, a.issuer, a.serial);
END $$;
