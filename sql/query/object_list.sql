-- Objects of campaign $1.
SELECT object, kind, url, sha256, fetched_at, counts FROM object WHERE campaign = $1 ORDER BY object
