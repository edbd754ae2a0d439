-- Affected certificates by validation type, and not checkable ones.
SELECT count(*) FILTER (WHERE v.type = 'DV'), count(*) FILTER (WHERE v.type = 'OV'), count(*) FILTER (WHERE v.type = 'IV'),
       count(*) FILTER (WHERE v.type = 'EV'), count(*) FILTER (WHERE coalesce(v.type, '') NOT IN ('DV', 'OV', 'IV', 'EV')),
       count(*) FILTER (WHERE k.needs = 0)
  FROM certificate k LEFT JOIN inventory v USING (issuer, serial)
 WHERE k.campaign = $1 AND k.excluded IS NULL AND NOT k.withdrawn
