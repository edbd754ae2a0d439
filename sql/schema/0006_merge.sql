-- Bulk loads: the program copies into a temporary table of its session, one function call moves the rows.

-- Upserts temporary table staging_inventory; certificates of cohorts that have not started take the new facts, and
-- approvals that wait on changed cohorts lose their object only when the planning order could change (plan again).
CREATE FUNCTION inventory_merge(c integer, at bigint, actor text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    INSERT INTO inventory SELECT DISTINCT ON (issuer, serial) issuer, serial, subscriber, subject, not_before, not_after,
           cert_sha256, precert_sha256, spki_sha256, dns_names, type, cdp, ocsp, certificate_file
      FROM staging_inventory ORDER BY issuer, serial, line DESC
    ON CONFLICT (issuer, serial) DO UPDATE SET subscriber = excluded.subscriber, subject = excluded.subject,
        not_before = excluded.not_before, not_after = excluded.not_after, cert_sha256 = excluded.cert_sha256,
        precert_sha256 = excluded.precert_sha256, spki_sha256 = excluded.spki_sha256, dns_names = excluded.dns_names,
        type = excluded.type, cdp = excluded.cdp, ocsp = excluded.ocsp, certificate_file = excluded.certificate_file;
    GET DIAGNOSTICS n = ROW_COUNT;
    ANALYZE inventory;
    PERFORM certificates_refresh(c);
    PERFORM requests_void(c, o.cohort, 'the inventory changed') FROM cohort o WHERE o.campaign = c AND o.started_at IS NULL;
    PERFORM cohort_unplan(c, o.cohort) FROM cohort o WHERE o.campaign = c AND o.started_at IS NULL;
    PERFORM log_note(c, at, actor, 'inventory', format('{"rows":%s}', n));
    RETURN n;
END $$;

CREATE FUNCTION contact_merge(c integer, at bigint, actor text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    INSERT INTO contact (subscriber, role, tier, name, email, language, timezone, phone, class, address_bad)
    SELECT DISTINCT ON (subscriber, role, email) subscriber, role, tier, name, email, language, timezone, phone, class, address_bad
      FROM staging_contact ORDER BY subscriber, role, email, line DESC
    ON CONFLICT (subscriber, role, email) DO UPDATE SET tier = excluded.tier, name = excluded.name,
        language = excluded.language, timezone = excluded.timezone, phone = excluded.phone, class = excluded.class,
        address_bad = excluded.address_bad;
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM log_note(c, at, actor, 'contacts', format('{"rows":%s}', n));
    RETURN n;
END $$;
