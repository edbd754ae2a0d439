-- Another try for these certificates.
SELECT * FROM act_retry($1, $2, $3, $4, $5, $6)
