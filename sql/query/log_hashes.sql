-- Leaf hashes of campaign $1 from event $2 on, in order.
SELECT hash FROM event WHERE campaign = $1 AND seq >= $2 ORDER BY seq
