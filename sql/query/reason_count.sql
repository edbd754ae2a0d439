-- Certificates that get another reason by the approved changes of campaign $1, once for each: all, not yet done by the
-- CA, done and not seen yet, with the CA's administrator, shown, left to a person.
SELECT count(*), count(*) FILTER (WHERE i.state IN ('waits', 'asked')), count(*) FILTER (WHERE i.state = 'changed'),
       count(*) FILTER (WHERE i.state = 'elsewhere'), count(*) FILTER (WHERE i.state = 'shown'),
       count(*) FILTER (WHERE i.state = 'person')
  FROM reason_change h JOIN reason_item i USING (campaign, change)
 WHERE h.campaign = $1 AND h.bound_at IS NOT NULL
