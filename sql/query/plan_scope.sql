-- Numbers a (re)plan of cohort $2 must deal.
SELECT plan_scope($1, $2)
