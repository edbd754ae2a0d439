-- Where something is wrong at the edges of campaign $1: URL, since when, what was found last, whether it is a CRL's.
SELECT url, wrong_since, data, kind = 'crl' FROM edge
 WHERE campaign = $1 AND wrong_since IS NOT NULL ORDER BY kind, url, issuer, vantage
