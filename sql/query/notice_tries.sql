-- Every try of campaign $1, and notices without one.
SELECT n.subscriber, n.contact, n.kind, t.attempt, t.outcome, t.at, n.notice, n.message_id, t.text
  FROM notice n LEFT JOIN notice_try t USING (campaign, notice) WHERE n.campaign = $1 ORDER BY n.subscriber COLLATE "C", n.contact, n.kind, t.attempt
