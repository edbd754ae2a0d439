-- What a plan of cohort $2 would be made from: its mark, has it started, the next free page, its pages.
SELECT plan_mark($1, $2), o.started_at IS NOT NULL, g.next_page,
       (SELECT count(*) FROM page p WHERE p.campaign = $1 AND p.cohort = $2)
  FROM campaign g JOIN cohort o USING (campaign) WHERE g.campaign = $1 AND o.cohort = $2
