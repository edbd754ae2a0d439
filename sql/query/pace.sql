-- When the dealt work of campaign $1 ends, seen from $2, at the rates $4 in $5 of CAs $3.
SELECT cohort, ca, remaining, planned, finish FROM pace($1, $2, $3, $4, $5) ORDER BY cohort, ca
