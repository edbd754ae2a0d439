-- Active holds of campaign $1.
SELECT h.hold, h.kind, h.document, h.until_at, h.author, h.at, h.active,
       (SELECT count(*) FROM hold_item x WHERE x.campaign = h.campaign AND x.hold = h.hold AND NOT x.released)
  FROM hold h WHERE h.campaign = $1 ORDER BY h.hold
