-- Pages $2 up to $3 of campaign $1 with their bytes and counters, for the balance.
SELECT page, cohort, used, states, revoked, pending_publication, not_revoked, held, expired, unknown, withdrawn, doubt,
       needs_person, scope
  FROM page WHERE campaign = $1 AND page BETWEEN $2 AND $3 ORDER BY page
