-- Numbers cohort $2 anew -> certificates.
SELECT plan_number($1, $2, $3, $4)
