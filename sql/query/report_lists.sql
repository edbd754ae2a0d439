-- Cohorts of campaign $1 whose lists brought another number of certificates than there are rows -> cohort, brought,
-- rows, does it have pages.
SELECT o.cohort, o.listed, o.rows, EXISTS (SELECT 1 FROM page p WHERE p.campaign = $1 AND p.cohort = o.cohort)
  FROM (SELECT cohort, coalesce(v.listed, 0) AS listed, coalesce(k.rows, 0) AS rows
          FROM (SELECT cohort, sum(added) AS listed FROM population WHERE campaign = $1 GROUP BY cohort) v
          FULL JOIN (SELECT cohort, count(*) AS rows FROM certificate WHERE campaign = $1 GROUP BY cohort) k USING (cohort)) o
 WHERE o.listed <> o.rows ORDER BY o.cohort
