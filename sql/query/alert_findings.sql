-- The newest CRL of each pointer of campaign $1: URL, when it was fetched, what was found in it.
SELECT o.url, o.fetched_at, o.findings
  FROM (SELECT url, max(object) AS object FROM object WHERE campaign = $1 AND kind = 'crl' GROUP BY url) newest
  JOIN object o ON o.campaign = $1 AND o.object = newest.object
 ORDER BY o.url
