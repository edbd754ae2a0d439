-- What the inventory says of all certificates of issuer $1, along its key.
SELECT serial, subscriber, not_before, not_after, facts, shard, sibling FROM inventory WHERE issuer = $1 ORDER BY serial
