-- Change $2 of reasons of campaign $1 is approved; at $3 by $4.
SELECT reason_bind($1, $2, $3, $4, $5)
