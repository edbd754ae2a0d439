-- Certificates of cohort $2 that are not settled, with their subscriber and slot.
SELECT k.subscriber, k.serial, coalesce(v.subject, ''), coalesce(v.dns_names, ''), k.not_after, v.cert_sha256, h.slot_start
  FROM (SELECT * FROM affected WHERE campaign = $1 AND cohort = $2 AND excluded IS NULL AND NOT withdrawn
           AND subscriber <> '' OFFSET 0) k -- or a block of numbers is carried and sorted with each row
  LEFT JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000
  LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
  LEFT JOIN (SELECT unnest(numbers) AS number, slot_start FROM chunk WHERE campaign = $1 AND state <> 'closed') h ON h.number = k.number
 WHERE (p.page IS NULL OR get_byte(p.states, k.number % 1000) & 15 IN (state_code('waiting'), state_code('due'),
        state_code('asked'), state_code('doubt'), state_code('needs_person'), state_code('held'), state_code('unknown')))
 ORDER BY k.subscriber COLLATE "C", k.number, k.issuer, length(k.serial), k.serial
