-- Every try about cohort $2 of the kinds that are told once.
SELECT n.subscriber, n.contact, n.kind, t.attempt, t.outcome, t.at, n.notice
  FROM notice n JOIN notice_try t USING (campaign, notice) WHERE n.campaign = $1 AND n.cohort = $2 AND n.about = 0
 ORDER BY n.subscriber COLLATE "C", n.contact, n.kind, t.attempt
