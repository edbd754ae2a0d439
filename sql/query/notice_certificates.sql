-- Certificates of campaign $1 with their subscriber and slot, for the notices.
SELECT k.subscriber, k.serial, coalesce(v.subject, ''), coalesce(v.dns_names, ''), k.not_after, k.number, v.cert_sha256,
       i.subject, h.slot_start, o.deadline
  FROM certificate k JOIN cohort o USING (campaign, cohort) JOIN issuer i ON i.issuer = k.issuer
  LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
  LEFT JOIN (SELECT unnest(numbers) AS number, slot_start FROM chunk WHERE campaign = $1 AND state <> 'closed') h ON h.number = k.number
 WHERE k.campaign = $1 AND k.excluded IS NULL AND NOT k.withdrawn
 ORDER BY k.subscriber COLLATE "C", k.number, k.issuer, length(k.serial), k.serial
