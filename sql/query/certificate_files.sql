-- Of certificates $2 (numbers) of campaign $1: the file the inventory names, and whether anybody but the list knows it
-- (marks: 1 in no inventory and never supplied itself).
SELECT m.block * 250 + x.o - 1, coalesce(v.certificate_file, ''), k.marks & 1 = 0
  FROM (SELECT n / 250 AS block, array_agg(n) AS wanted FROM unnest($2::integer[]) n GROUP BY 1) w
  JOIN member m ON m.campaign = $1 AND m.block = w.block
 CROSS JOIN LATERAL unnest(m.ids) WITH ORDINALITY x(id, o)
  JOIN certificate k ON k.campaign = $1 AND k.id = x.id
  LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
 WHERE m.block * 250 + x.o - 1 = ANY (w.wanted) ORDER BY 1
