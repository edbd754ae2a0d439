-- Pages with their bytes, for the balance.
SELECT page, cohort, used, states, revoked, pending_publication, not_revoked, held, expired, unknown, withdrawn, needs, scope
  FROM page WHERE campaign = $1 ORDER BY page
