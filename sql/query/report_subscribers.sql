-- Subscribers: all, told, acknowledged, with a bad address, without any contact, backups told; notices accepted, refused.
WITH s AS (SELECT DISTINCT subscriber FROM certificate WHERE campaign = $1 AND excluded IS NULL AND NOT withdrawn AND subscriber <> ''),
     t AS (SELECT n.subscriber, c.role, y.outcome FROM notice n JOIN notice_try y USING (campaign, notice) JOIN contact c USING (contact)
            WHERE n.campaign = $1)
SELECT (SELECT count(*) FROM s), (SELECT count(DISTINCT subscriber) FROM t WHERE outcome = 'accepted'),
       (SELECT count(*) FROM ack WHERE campaign = $1),
       (SELECT count(DISTINCT c.subscriber) FROM contact c JOIN s USING (subscriber) WHERE c.address_bad),
       (SELECT count(*) FROM s WHERE NOT EXISTS (SELECT 1 FROM contact c WHERE c.subscriber = s.subscriber AND NOT c.address_bad)),
       (SELECT count(DISTINCT subscriber) FROM t WHERE outcome = 'accepted' AND role = 'backup'),
       (SELECT count(*) FROM t WHERE outcome = 'accepted'), (SELECT count(*) FROM t WHERE outcome = 'refused')
