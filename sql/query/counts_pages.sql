-- The pages of campaign $1 summed per cohort: cohort, the counters in the order of enum bucket, doubt, needs a person.
SELECT cohort, sum(revoked), sum(pending_publication), sum(not_revoked), sum(held), sum(expired), sum(unknown), sum(withdrawn),
       sum(doubt), sum(needs_person)
  FROM page WHERE campaign = $1 GROUP BY cohort ORDER BY cohort
