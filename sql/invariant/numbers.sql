-- Certificates and numbers that do not name each other, and pages with another number of certificates. $1 campaign.
SELECT k.number, 'certificate without a place in a page' AS problem
  FROM affected k LEFT JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000
 WHERE k.campaign = $1 AND k.number IS NOT NULL AND (p.page IS NULL OR k.number % 1000 >= p.used)
UNION ALL
SELECT k.number, 'number of a certificate that is another one''s'
  FROM affected k LEFT JOIN member m ON m.campaign = k.campaign AND m.block = k.number / 250
 WHERE k.campaign = $1 AND k.number IS NOT NULL AND m.ids[k.number % 250 + 1] IS DISTINCT FROM k.id
UNION ALL
SELECT p.page, 'page with another number of certificates'
  FROM page p
 WHERE p.campaign = $1
   AND p.used <> (SELECT count(*) FROM member m CROSS JOIN LATERAL unnest(m.ids) WITH ORDINALITY x(id, o)
                    JOIN affected k ON k.campaign = $1 AND k.id = x.id AND k.number = m.block * 250 + x.o - 1
                   WHERE m.campaign = $1 AND m.block BETWEEN p.page * 4 AND p.page * 4 + 3)
UNION ALL
SELECT k.id, 'id that the campaign has not given yet'
  FROM certificate k JOIN campaign g USING (campaign) WHERE k.campaign = $1 AND k.id NOT BETWEEN 0 AND g.next_certificate - 1
UNION ALL
SELECT k.number, 'withdrawn mark and state byte differ'
  FROM affected k JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000 AND k.number % 1000 < p.used
 WHERE k.campaign = $1 AND k.withdrawn <> (get_byte(p.states, k.number % 1000) & 15 = state_code('withdrawn'))
