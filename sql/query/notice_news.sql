-- What could change whom to tell, of campaign $1 after event $2 -> is there anything that the engine's own work did not
-- write, the last event, the newest plan that was compared with what people were told.
SELECT coalesce(bool_or(NOT is_daily(e.type) AND e.type <> 'expire' OR e.type = 'ack'), false), coalesce(max(e.seq), $2),
       (SELECT coalesce(max(o.moves_plan), 0) FROM cohort o WHERE o.campaign = $1)
  FROM event e WHERE e.campaign = $1 AND e.seq > $2
