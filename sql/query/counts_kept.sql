-- What was kept of campaign $1, if no event since changed which certificates there are or what is dealt: body, from which
-- event of the log on it has to be carried on, events now, stamps and withdrawn as in counts_now.
SELECT k.body, k.seq, (SELECT size FROM log WHERE campaign = $1), k.inventory, k.contact, k.withdrawn
  FROM kept k
 WHERE k.campaign = $1 AND k.inventory = (SELECT n FROM stamp WHERE what = 'inventory')
   AND k.contact = (SELECT n FROM stamp WHERE what = 'contact') AND k.withdrawn = pages_withdrawn($1)
   AND NOT EXISTS (SELECT 1 FROM event e WHERE e.campaign = $1 AND e.seq >= k.seq AND NOT is_daily(e.type)
                      AND e.type NOT IN ('expire', 'missed', 'pause', 'resume', 'request', 'approve', 'start', 'decide', 'task_done',
                                         'task_assign', 'hold', 'release', 'retry', 'finding', 'canary_replaced', 'canary_unproved',
                                         'canary_contradicted', 'stops_lifted', 'breaker_open', 'breaker_closed'))
