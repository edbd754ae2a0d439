-- Certificate rows of pages $2 (array) as they stand now, in number order.
SELECT m.block * 250 + x.o - 1, i.sha256, k.serial, k.reason, k.issuer
  FROM unnest($2::integer[]) g CROSS JOIN generate_series(0, 3) b JOIN member m ON m.campaign = $1 AND m.block = g * 4 + b
 CROSS JOIN LATERAL unnest(m.ids) WITH ORDINALITY x(id, o)
  JOIN certificate k ON k.campaign = $1 AND k.id = x.id
  JOIN issuer i USING (issuer) ORDER BY 1
