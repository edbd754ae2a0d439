-- Campaign $1 goes on from here; at $2 by $3.
SELECT generation_confirm($1, $2, $3, $4)
