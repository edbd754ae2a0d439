-- The notice of kind $4 to contact $3 -> its number.
SELECT notice_begin($1, $2, $3, $4, $5, $6)
