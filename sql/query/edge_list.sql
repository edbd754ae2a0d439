-- What each edge of each pointer showed last.
SELECT e.kind, e.issuer, e.url, e.vantage, e.at, e.status, e.problem, e.headers, e.sha256, e.size, e.crl_number, e.this_update,
       e.next_update, e.counts, e.findings
  FROM edge e WHERE e.campaign = $1 ORDER BY e.kind, e.issuer, e.url, e.vantage
