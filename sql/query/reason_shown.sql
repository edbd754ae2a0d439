-- The object $4 shows numbers $2 of campaign $1 as their change wants them, with dates $3; at $5 by $6 -> how many.
SELECT reason_shown($1, $2, $3, $4, $5, $6)
