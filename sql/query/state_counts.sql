-- Numbered certificates of started cohorts, from the pages' counters: per bucket, in the order of `enum bucket`; in need of
-- a person; of the pending ones those that no fetched object showed, and those that nothing can show. Only pages with
-- pending ones are looked into.
SELECT coalesce(sum(p.revoked), 0), coalesce(sum(p.pending_publication), 0), coalesce(sum(p.not_revoked), 0),
       coalesce(sum(p.held), 0), coalesce(sum(p.expired), 0), coalesce(sum(p.unknown), 0), coalesce(sum(p.withdrawn), 0),
       coalesce(sum(p.needs_person), 0),
       coalesce(sum(CASE WHEN p.pending_publication > 0 THEN count_state(p.states, state_code('recorded'))
                              + count_state(p.states, state_code('was_before')) END), 0),
       coalesce(sum(CASE WHEN p.pending_publication > 0 AND position('\x00'::bytea IN p.needs) > 0 THEN (
                SELECT count(*) FROM generate_series(0, p.used - 1) i
                 WHERE get_byte(p.needs, i) = 0 AND get_byte(ledger_buckets(), get_byte(p.states, i) & 15)
                                                  = get_byte(ledger_buckets(), state_code('recorded')::integer)) END), 0)
  FROM page p JOIN cohort o USING (campaign, cohort) WHERE p.campaign = $1 AND o.started_at IS NOT NULL
