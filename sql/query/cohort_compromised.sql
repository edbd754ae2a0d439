-- The date of the compromise of cohort $2 of campaign $1 is $3; at $4 by $5.
SELECT cohort_compromised($1, $2, $3, $4, $5, $6)
