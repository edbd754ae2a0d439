-- Every certificate of campaign $1 for the affected list, numbered ones first, then excluded. The hold is the one that ends
-- last of those that name it, whether it binds or not (report_holds).
SELECT v.precert_sha256, v.cert_sha256, coalesce(v.subject, ''), i.subject, k.serial, coalesce(v.dns_names, ''),
       v.not_before, k.not_after, k.number,
       CASE WHEN k.number % 1000 < p.used THEN get_byte(p.states, k.number % 1000) ELSE state_code('waiting') END,
       h.slot_start, k.reason, o.deadline, k.excluded IS NOT NULL, k.issuer,
       n.reason, n.dated, o.compromised_at, k.cohort, z.hold
  FROM (SELECT * FROM affected WHERE campaign = $1 AND NOT withdrawn AND coalesce(excluded, '') <> 'short_lived'
        OFFSET 0) k -- or a block of numbers is carried and sorted with each row
  JOIN cohort o USING (campaign, cohort) JOIN issuer i ON i.issuer = k.issuer
  LEFT JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000
  LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
  LEFT JOIN (SELECT unnest(numbers) AS number, slot_start FROM chunk WHERE campaign = $1 AND state <> 'closed') h
         ON h.number = k.number
  LEFT JOIN (SELECT DISTINCT ON (x.issuer, x.serial) x.issuer, x.serial, x.hold FROM hold h JOIN hold_item x USING (campaign, hold)
              WHERE h.campaign = $1 AND h.active AND NOT x.released
              ORDER BY x.issuer, x.serial, h.until_at DESC NULLS FIRST, x.hold) z ON z.issuer = k.issuer AND z.serial = k.serial
  LEFT JOIN (SELECT number, reason, dated FROM reasons_now($1) WHERE done) n ON n.number = k.number
 ORDER BY k.number NULLS LAST, k.issuer, length(k.serial), k.serial
