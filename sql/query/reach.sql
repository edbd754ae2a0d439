-- Subscribers of the affected certificates of campaign $1, most certificates first: who of them can be reached. A contact
-- counts when its address is good.
SELECT s.subscriber, s.n, coalesce(c.is_primary, false), coalesce(c.is_backup, false), coalesce(c.is_partner, false)
  FROM (SELECT subscriber, count(*) AS n FROM certificate
         WHERE campaign = $1 AND excluded IS NULL AND NOT withdrawn GROUP BY subscriber) s
  LEFT JOIN (SELECT subscriber, bool_or(role = 'primary') AS is_primary, bool_or(role = 'backup') AS is_backup,
                    bool_or(role = 'partner') AS is_partner
               FROM contact WHERE NOT address_bad GROUP BY subscriber) c USING (subscriber)
 ORDER BY s.n DESC, s.subscriber
