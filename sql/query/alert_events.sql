-- Events of campaign $1 behind sequence $2 that are of these types, oldest first.
SELECT seq, at, type, leaf FROM event WHERE campaign = $1 AND seq > $2 AND type = ANY ($3) ORDER BY seq
