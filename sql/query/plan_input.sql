-- What the planner needs of the unsettled, unclaimed numbers of cohort $2, in number order.
SELECT k.number, k.subscriber, k.issuer, coalesce(v.cdp, ''), k.not_after,
       EXISTS (SELECT 1 FROM contact t WHERE t.subscriber = k.subscriber AND NOT t.address_bad),
       EXISTS (SELECT 1 FROM contact t WHERE t.subscriber = k.subscriber AND t.class = 'riskiest'),
       get_byte(p.states, k.number % 1000) & 15 = state_code('doubt'),
       (k.number % 1000)::smallint = ANY (p.canaries) AND canaries_open(p.states, ARRAY[(k.number % 1000)::smallint]) > 0,
       k.replaced
  FROM unnest(plan_scope($1, $2)) n JOIN certificate k ON k.campaign = $1 AND k.number = n
  JOIN page p ON p.campaign = $1 AND p.page = n / 1000
  LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
 ORDER BY k.number
