-- Leaf hashes of campaign $1 in order.
SELECT hash FROM event WHERE campaign = $1 ORDER BY seq
