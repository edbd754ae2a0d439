-- Fact rows of events $2 to $3 of campaign $1 -> event, key, the text that is digested.
SELECT s, key, body FROM generate_series($2::bigint, $3::bigint) s, fact_rows($1, s) ORDER BY s, key COLLATE "C"
