-- Marks cohorts that have missed their deadline.
SELECT cohort_missed($1, $2, $3)
