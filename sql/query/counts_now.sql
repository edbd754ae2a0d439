-- What campaign $1's certificates come to, counted: cohorts [cohort, affected, without a number, excluded by expiry, excluded
-- as short-lived, withdrawn]; with $2 also issuers [name, affected], validation types [DV, OV, IV, EV, other, not
-- checkable] and people [subscribers, with a bad address, without any contact]. And what that holds with: events of
-- the log, stamps of inventory and contacts, withdrawn by the pages.
SELECT json_build_object(
    'cohorts', (SELECT json_agg(json_build_array(cohort, affected, unnumbered, expired_before, short_lived, withdrawn) ORDER BY cohort)
      FROM (SELECT cohort, count(*) FILTER (WHERE excluded IS NULL AND NOT withdrawn) AS affected,
                   count(*) FILTER (WHERE excluded IS NULL AND NOT withdrawn AND number IS NULL) AS unnumbered,
                   count(*) FILTER (WHERE excluded = 'expired_before_receipt' AND NOT withdrawn) AS expired_before,
                   count(*) FILTER (WHERE excluded = 'short_lived' AND NOT withdrawn) AS short_lived,
                   count(*) FILTER (WHERE withdrawn) AS withdrawn
              FROM affected WHERE campaign = $1 GROUP BY cohort) k),
    'issuers', CASE WHEN $2::boolean THEN (SELECT json_agg(json_build_array(subject, n) ORDER BY issuer)
      FROM (SELECT i.issuer, i.subject, count(*) AS n FROM certificate k JOIN issuer i USING (issuer)
             WHERE k.campaign = $1 AND k.excluded IS NULL AND NOT k.withdrawn GROUP BY i.issuer, i.subject) k) END,
    'types', CASE WHEN $2 THEN (SELECT json_build_array(
               count(*) FILTER (WHERE v.type = 'DV'), count(*) FILTER (WHERE v.type = 'OV'), count(*) FILTER (WHERE v.type = 'IV'),
               count(*) FILTER (WHERE v.type = 'EV'), count(*) FILTER (WHERE coalesce(v.type, '') NOT IN ('DV', 'OV', 'IV', 'EV')),
               count(*) FILTER (WHERE k.needs = 0))
      FROM certificate k LEFT JOIN inventory v USING (issuer, serial)
     WHERE k.campaign = $1 AND k.excluded IS NULL AND NOT k.withdrawn) END,
    'people', CASE WHEN $2 THEN counts_people($1) END)::text,
       (SELECT size FROM log WHERE campaign = $1), (SELECT n FROM stamp WHERE what = 'inventory'),
       (SELECT n FROM stamp WHERE what = 'contact'), pages_withdrawn($1)
