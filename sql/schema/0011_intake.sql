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
