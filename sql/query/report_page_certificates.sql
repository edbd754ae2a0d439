-- Certificate rows with a number per page, $2 up to $3, of campaign $1: in scope, withdrawn.
SELECT m.block / 4, count(*) FILTER (WHERE k.excluded IS NULL), count(*) FILTER (WHERE k.withdrawn)
  FROM member m CROSS JOIN LATERAL unnest(m.ids) WITH ORDINALITY x(id, o)
  JOIN certificate k ON k.campaign = $1 AND k.id = x.id
  JOIN place p ON p.campaign = $1 AND p.block = k.id / 250 AND p.numbers[k.id % 250 + 1] = m.block * 250 + x.o - 1
 WHERE m.campaign = $1 AND m.block BETWEEN $2 * 4::bigint AND $3 * 4::bigint + 3 GROUP BY 1 ORDER BY 1
