-- Requests of campaign $1, newest last.
SELECT r.request, r.what, r.cohort, r.plan, r.hold, r.at, r.expires_at, r.text, r.void_reason, array_to_string(r.requesters, E'\n'),
       (SELECT count(*) FROM approval a WHERE a.campaign = r.campaign AND a.request = r.request),
       coalesce((SELECT string_agg(a.approver, E'\n' ORDER BY a.at, a.approver) FROM approval a WHERE a.campaign = r.campaign AND a.request = r.request), '')
  FROM request r WHERE r.campaign = $1 ORDER BY r.request
