-- Certificate rows of pages $2 (array) as they stand now, in number order.
SELECT k.number, i.sha256, k.serial, k.reason, k.issuer
  FROM unnest($2::integer[]) g JOIN certificate k ON k.campaign = $1 AND k.number BETWEEN g * 1000 AND g * 1000 + 999
  JOIN issuer i USING (issuer) ORDER BY k.number
