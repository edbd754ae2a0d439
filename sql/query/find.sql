-- Certificates of the inventory or of campaign $1: by serial ($3), SHA-256 of themselves, their precertificate or their key
-- ($2), host ($4) or part of a subscriber's or subject's name ($5), the last two in lower case; at most $6. Behind them
-- their siblings, as many: same key, same names in any order, or same serial. Where there are more, any of them: sorting
-- them all first would read the inventory along its key.
WITH everything AS NOT MATERIALIZED (  -- read twice, kept never
    SELECT issuer, serial, subscriber, subject, dns_names, not_after, cert_sha256, precert_sha256, spki_sha256 FROM inventory
    UNION ALL
    SELECT k.issuer, k.serial, k.subscriber, '', '', k.not_after, NULL, NULL, NULL FROM certificate k
     WHERE k.campaign = $1 AND NOT EXISTS (SELECT 1 FROM inventory v WHERE v.issuer = k.issuer AND v.serial = k.serial)
), hit AS MATERIALIZED (
    SELECT e.*, y.why FROM everything e CROSS JOIN LATERAL (
        SELECT CASE WHEN e.serial = ANY ($3::bytea[]) THEN 'serial'
                     WHEN e.cert_sha256 = $2::bytea OR e.precert_sha256 = $2::bytea THEN 'sha256'
                     WHEN e.spki_sha256 = $2::bytea THEN 'key'
                     WHEN position(' ' || $4::text || ' ' IN ' ' || lower(e.dns_names) || ' ') > 0 THEN 'host'
                     WHEN position(' *' || substring($4::text FROM '[.].*') || ' ' IN ' ' || lower(e.dns_names) || ' ') > 0
                          THEN 'wildcard'
                     WHEN position($5::text IN lower(e.subscriber)) > 0 THEN 'subscriber'
                     WHEN position($5::text IN lower(e.subject)) > 0 THEN 'subject' END AS why) y
     WHERE y.why IS NOT NULL LIMIT $6
), sibling AS MATERIALIZED (
    SELECT e.*, CASE WHEN e.spki_sha256 IN (SELECT spki_sha256 FROM hit) THEN 'same key'
                     WHEN e.serial IN (SELECT serial FROM hit) THEN 'same serial' ELSE 'same names' END AS why
      FROM everything e
     WHERE (e.spki_sha256 IN (SELECT spki_sha256 FROM hit) OR e.serial IN (SELECT serial FROM hit)
            OR (e.dns_names <> '' AND length(e.dns_names) IN (SELECT length(dns_names) FROM hit)
                AND names_sorted(e.dns_names) IN (SELECT names_sorted(dns_names) FROM hit)))
       AND NOT EXISTS (SELECT 1 FROM hit h WHERE h.issuer = e.issuer AND h.serial = e.serial)
     LIMIT $6
), found AS MATERIALIZED (
    SELECT x.*, k.cohort, k.excluded, k.withdrawn, k.number
      FROM (SELECT *, true AS match FROM hit UNION ALL SELECT *, false FROM sibling) x
      LEFT JOIN current k ON k.campaign = $1 AND k.issuer = x.issuer AND k.serial = x.serial
), planned AS (
    SELECT n, max(c.slot_start) AS slot_start FROM chunk c CROSS JOIN LATERAL unnest(c.numbers) n
     WHERE c.campaign = $1 AND c.state <> 'closed' AND n IN (SELECT number FROM found) GROUP BY n
)
SELECT f.match, f.why, f.issuer, i.subject, f.serial, f.subscriber, f.subject, f.dns_names, f.not_after, f.cert_sha256,
       f.cohort, coalesce(f.excluded, ''), f.withdrawn, CASE WHEN p.page IS NOT NULL THEN get_byte(p.states, f.number % 1000) END,
       d.slot_start
  FROM found f JOIN issuer i ON i.issuer = f.issuer
  LEFT JOIN page p ON p.campaign = $1 AND p.page = f.number / 1000
  LEFT JOIN planned d ON d.n = f.number
 ORDER BY f.match DESC, i.subject, f.issuer, f.serial
