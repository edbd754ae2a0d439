-- Events of campaign $1 of the types $2, oldest first.
SELECT at, actor, type, leaf FROM event WHERE campaign = $1 AND type = ANY ($2::text[]) AND NOT is_daily(type) ORDER BY seq
