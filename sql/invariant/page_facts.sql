-- State bytes that the facts do not yield: the last change of each number decides, waiting before the first.
-- $1 campaign.
SELECT p.page * 1000 + i AS number, 'state byte differs from the facts' AS problem
  FROM page p CROSS JOIN generate_series(0, 999) i
  LEFT JOIN LATERAL (
    SELECT get_byte(h.afters, array_position(h.offsets, i::smallint) - 1) AS byte
      FROM change h WHERE h.campaign = p.campaign AND h.page = p.page AND i::smallint = ANY (h.offsets)
     ORDER BY h.seq DESC, h.step DESC LIMIT 1) last ON true
 WHERE p.campaign = $1 AND i < p.used
   AND get_byte(p.states, i) <> coalesce(last.byte, state_code('waiting'))
