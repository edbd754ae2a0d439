-- Certificate rows of pages $2 (array) as they stand now, a row per block of 250 numbers: the ids in number order, and of
-- each certificate in any order its id (4 octets), its reason (3), how long its serial is (1) and its serial; their issuer,
-- NULL when they have more than one.
SELECT m.block, m.ids, k.packed, i.issuer, i.sha256
  FROM unnest($2::integer[]) g CROSS JOIN generate_series(0, 3) b JOIN member m ON m.campaign = $1 AND m.block = g * 4 + b
 CROSS JOIN LATERAL (SELECT string_agg(int4send(id) || int4send(reason * 256 + length(serial)) || serial, '') AS packed,
                            CASE WHEN min(issuer) = max(issuer) THEN min(issuer) END AS issuer
                       FROM certificate WHERE campaign = $1 AND id = ANY (m.ids)) k
  LEFT JOIN issuer i ON i.issuer = k.issuer ORDER BY 1
