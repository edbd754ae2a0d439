-- As notice_certificates, for those of cohort $2 whose hour moved earlier, with the hour that was told, and the number
-- of the plan that the subscriber's message is about.
SELECT y.subscriber, y.serial, coalesce(v.subject, ''), coalesce(v.dns_names, ''), v.not_after, v.cert_sha256, m.hour, m.told_hour,
       max(m.plan) OVER (PARTITION BY m.subscriber)
  FROM moved m JOIN affected y USING (campaign, issuer, serial, cohort)
  JOIN page p ON p.campaign = y.campaign AND p.page = y.number / 1000
  LEFT JOIN inventory v ON v.issuer = y.issuer AND v.serial = y.serial
 WHERE m.campaign = $1 AND m.cohort = $2
   AND get_byte(p.states, y.number % 1000) & 15 IN (state_code('waiting'), state_code('due'), state_code('asked'),
       state_code('doubt'), state_code('needs_person'), state_code('held'), state_code('unknown'))
 ORDER BY y.subscriber COLLATE "C", y.number
