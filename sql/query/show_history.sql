-- Changes of number $2, oldest first.
SELECT e.at, e.actor, get_byte(h.events, array_position(h.offsets, ($2::int % 1000)::smallint) - 1),
       get_byte(h.afters, array_position(h.offsets, ($2::int % 1000)::smallint) - 1), e.seq
  FROM change h JOIN event e USING (campaign, seq)
 WHERE h.campaign = $1 AND h.page = $2::int / 1000 AND ($2::int % 1000)::smallint = ANY (h.offsets) ORDER BY h.seq, h.step
