-- Fetched objects of campaign $1 by their bytes: digest, kind, parts.
SELECT DISTINCT o.sha256, o.kind, (SELECT count(*) FROM object_part x WHERE x.sha256 = o.sha256)
  FROM object o WHERE o.campaign = $1 ORDER BY o.sha256
