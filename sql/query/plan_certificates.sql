-- Certificates of cohort $2 that are in scope.
SELECT k.id, k.issuer, k.subscriber, k.serial, k.not_after, k.reason, k.needs, k.shard, k.known, k.replaced
  FROM certificate k WHERE k.campaign = $1 AND k.cohort = $2 AND k.excluded IS NULL AND NOT k.withdrawn
