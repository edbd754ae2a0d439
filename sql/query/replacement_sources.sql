-- Sources of campaign $1 that can be read again.
SELECT kind, location, query, coalesce(issuer, 0), stamp FROM replacement_source
 WHERE campaign = $1 AND kind <> 'stream' ORDER BY source
