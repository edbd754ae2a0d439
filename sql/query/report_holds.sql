-- What holds of campaign $1 keep: cohort, hold, kind, document, end (NULL: none), certificates. Of several holds that name a
-- certificate the one that ends last counts, as in report_affected. What has no number yet is held once it gets one.
SELECT d.cohort, d.hold, g.kind, g.document, g.until_at, count(*)
  FROM (SELECT DISTINCT ON (x.issuer, x.serial) k.cohort, x.hold
          FROM hold h JOIN hold_item x USING (campaign, hold) JOIN affected k USING (campaign, issuer, serial)
          LEFT JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000
         WHERE h.campaign = $1 AND h.active AND NOT x.released AND NOT k.withdrawn AND k.excluded IS NULL
           AND (k.number IS NULL
                OR k.number % 1000 < p.used AND get_byte(p.states, k.number % 1000) = state_code('held'))
         ORDER BY x.issuer, x.serial, h.until_at DESC NULLS FIRST, x.hold) d
  JOIN hold g ON g.campaign = $1 AND g.hold = d.hold
 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2
