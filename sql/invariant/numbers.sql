-- Numbers without a place in a page, and places without a certificate. $1 campaign.
SELECT k.number, 'certificate without a place in a page' AS problem
  FROM certificate k LEFT JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000
 WHERE k.campaign = $1 AND k.number IS NOT NULL AND (p.page IS NULL OR k.number % 1000 >= p.used)
UNION ALL
SELECT p.page, 'page with another number of certificates'
  FROM page p
 WHERE p.campaign = $1
   AND p.used <> (SELECT count(*) FROM certificate k
                   WHERE k.campaign = p.campaign AND k.number BETWEEN p.page * 1000 AND p.page * 1000 + 999)
UNION ALL
SELECT k.number, 'withdrawn mark and state byte differ'
  FROM certificate k JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000 AND k.number % 1000 < p.used
 WHERE k.campaign = $1 AND k.withdrawn <> (get_byte(p.states, k.number % 1000) & 15 = state_code('withdrawn'))
