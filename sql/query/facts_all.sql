-- What the inventory says of all certificates of issuer $1, along its key. Most columns of most rows are NULL, which costs
-- nothing to send: not_before only says who is short-lived, and those are valid for less than $2 seconds.
SELECT serial, subscriber, CASE WHEN not_after - not_before < $2 THEN not_before END, not_after, facts, shard, nullif(sibling, false)
  FROM inventory WHERE issuer = $1 ORDER BY serial
