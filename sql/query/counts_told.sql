-- Notices of campaign $1 since event $2 of its log: subscribers told for the first time, by a backup contact for the first
-- time; messages accepted, refused.
SELECT count(DISTINCT t.subscriber) FILTER (WHERE t.outcome = 'accepted' AND NOT EXISTS (
           SELECT 1 FROM notice m JOIN notice_try y USING (campaign, notice)
            WHERE m.campaign = $1 AND m.subscriber = t.subscriber AND y.outcome = 'accepted' AND y.seq < $2)),
       count(DISTINCT t.subscriber) FILTER (WHERE t.outcome = 'accepted' AND t.role = 'backup' AND NOT EXISTS (
           SELECT 1 FROM notice m JOIN notice_try y USING (campaign, notice) JOIN contact d USING (contact)
            WHERE m.campaign = $1 AND m.subscriber = t.subscriber AND d.role = 'backup' AND y.outcome = 'accepted'
              AND y.seq < $2)),
       count(*) FILTER (WHERE t.outcome = 'accepted'), count(*) FILTER (WHERE t.outcome = 'refused')
  FROM (SELECT n.subscriber, c.role, y.outcome
          FROM notice_try y JOIN notice n USING (campaign, notice) JOIN contact c USING (contact)
         WHERE y.campaign = $1 AND y.seq >= $2) t
