-- Notes whom the plan of cohort $2 moved to an earlier hour than they were told.
SELECT plan_moves($1, $2, $3, $4)
