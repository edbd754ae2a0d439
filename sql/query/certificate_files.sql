-- Of certificates $2 (numbers) of campaign $1: the file the inventory names, and whether anybody but the list knows it
-- (marks: 1 in no inventory and never supplied itself).
SELECT k.number, coalesce(v.certificate_file, ''), k.marks & 1 = 0
  FROM certificate k LEFT JOIN inventory v ON v.issuer = k.issuer AND v.serial = k.serial
 WHERE k.campaign = $1 AND k.number = ANY ($2) ORDER BY k.number
