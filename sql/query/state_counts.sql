-- Numbered certificates of started cohorts, from the pages' counters: per bucket, in the order of `enum bucket`; in need of
-- a person; of the pending ones those that no fetched object showed, and those that
-- nothing can show. Only pages with pending ones are looked into.
SELECT coalesce(sum(p.revoked), 0), coalesce(sum(p.pending_publication), 0), coalesce(sum(p.not_revoked), 0),
       coalesce(sum(p.held), 0), coalesce(sum(p.expired), 0), coalesce(sum(p.unknown), 0), coalesce(sum(p.withdrawn), 0),
       coalesce(sum(p.needs_person), 0), coalesce(sum(x.unseen), 0), coalesce(sum(x.dark), 0)
  FROM page p JOIN cohort o USING (campaign, cohort)
  LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE s.state IN (state_code('recorded'), state_code('was_before'))) AS unseen,
               count(*) FILTER (WHERE s.needs = 0 AND get_byte(ledger_buckets(), s.state)
                                      = get_byte(ledger_buckets(), state_code('recorded')::integer)) AS dark
          FROM (SELECT get_byte(p.states, i) & 15 AS state, get_byte(p.needs, i) AS needs
                  FROM generate_series(0, p.used - 1) i OFFSET 0) s) x ON p.pending_publication > 0
 WHERE p.campaign = $1 AND o.started_at IS NOT NULL
