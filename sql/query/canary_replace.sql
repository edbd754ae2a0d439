-- Another canary in the place of number $2; NULL: there is none left.
SELECT canary_replace($1, $2, $3, $4)
