-- Outcomes of engine $2 of campaign $1: changes $3, numbers $4, words $5, the CA's dates $6, reasons $7, texts $8; at $9 by $10.
SELECT reason_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
