-- A change of reasons of campaign $1 to $2, dated $3 (NULL: as they are), elsewhere $4, why $5; numbers $6, issuers $7,
-- serials $8, reasons $9 and dates $10 now; at $11 by $12 -> its number.
SELECT reason_propose($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
