-- An approver withdraws from cohort $2.
SELECT cohort_void($1, $2, $3, $4, $5)
