-- As facts_all, of the staged ones.
SELECT serial, subscriber, CASE WHEN not_after - not_before < $2 THEN not_before END, not_after, facts, shard, sibling
  FROM facts_listed($1)
