-- Asked certificates outside a claimed chunk: an intent that nobody owns. $1 campaign.
SELECT p.page * 1000 + i AS number, 'asked, but in no claimed chunk' AS problem
  FROM page p CROSS JOIN generate_series(0, 999) i
 WHERE p.campaign = $1 AND i < p.used AND get_byte(p.states, i) & 15 = state_code('asked')
   AND NOT EXISTS (SELECT 1 FROM chunk h WHERE h.campaign = $1 AND h.state = 'claimed'
                      AND h.numbers @> ARRAY[p.page * 1000 + i])
