-- Per number of campaign $1 the last answer that says revoked: the date and reason of the CA, and when it answered.
SELECT DISTINCT ON (1) r.page * 1000 + x.o, x.a, x.y, e.at
  FROM result r JOIN event e USING (campaign, seq), unnest(r.offsets, r.ca_at, r.ca_reasons) WITH ORDINALITY AS x(o, a, y, i)
 WHERE r.campaign = $1 AND get_byte(r.outcomes, x.i::int - 1) = ANY ($2::int[]) ORDER BY 1, r.seq DESC
