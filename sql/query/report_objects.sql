-- Fetched objects of campaign $1 that are kept whole, by their bytes: digest, kind, parts. Whatever a sighting names must be.
SELECT DISTINCT o.sha256, o.kind, (SELECT count(*) FROM object_part x WHERE x.sha256 = o.sha256)
  FROM object o WHERE o.campaign = $1
   AND (o.keep <> 'hash' OR EXISTS (SELECT 1 FROM sighting g WHERE g.campaign = o.campaign AND g.object = o.object))
 ORDER BY o.sha256
