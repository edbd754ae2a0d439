-- When the first affected certificate of campaign $1 (of cohort $2, if not 0) was issued, and how many after $3.
SELECT min(v.not_before), count(*) FILTER (WHERE v.not_before > $3)
  FROM certificate t JOIN inventory v USING (issuer, serial)
 WHERE t.campaign = $1 AND ($2 = 0 OR t.cohort = $2) AND NOT t.withdrawn
