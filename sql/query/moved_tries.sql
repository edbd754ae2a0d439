-- Tries of the messages about the last move of each subscriber of cohort $2.
SELECT n.subscriber, n.contact, n.kind, t.attempt, t.outcome, t.at, n.notice
  FROM notice n JOIN notice_try t USING (campaign, notice)
 WHERE n.campaign = $1 AND n.cohort = $2 AND n.kind = 'moved'
   AND n.about = (SELECT max(m.plan) FROM moved m WHERE m.campaign = $1 AND m.cohort = $2 AND m.subscriber = n.subscriber)
 ORDER BY n.subscriber COLLATE "C", n.contact, n.kind, t.attempt
