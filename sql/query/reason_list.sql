-- Changes of reasons of campaign $1 with their request and how far they are, newest last.
SELECT h.change, h.reason, h.compromised_at, h.elsewhere, h.why, h.author, h.at, h.bound_at,
       coalesce((SELECT max(r.request) FROM request r WHERE r.campaign = h.campaign AND r.what = 'reason' AND r.hold = h.change), 0),
       count(*), count(*) FILTER (WHERE i.state = 'waits'), count(*) FILTER (WHERE i.state = 'asked'),
       count(*) FILTER (WHERE i.state = 'changed'), count(*) FILTER (WHERE i.state = 'elsewhere'),
       count(*) FILTER (WHERE i.state = 'shown'), count(*) FILTER (WHERE i.state = 'person')
  FROM reason_change h JOIN reason_item i USING (campaign, change)
 WHERE h.campaign = $1 GROUP BY h.campaign, h.change ORDER BY h.change
