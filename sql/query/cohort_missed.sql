-- Marks a cohort as having missed its deadline.
SELECT cohort_missed($1, $2, $3, $4)
