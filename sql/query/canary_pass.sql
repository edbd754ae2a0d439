-- The rest of issuer $3 in cohort $2 goes without the canaries' proof.
SELECT canary_pass($1, $2, $3, $4, $5, $6)
