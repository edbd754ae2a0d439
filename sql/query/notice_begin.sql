-- The notice of kind $5 about plan $6 (0: none) to contact $4 about cohort $2 -> its number, when it was first made.
SELECT notice, first_at FROM notice_begin($1, $2, $3, $4, $5, $6, $7)
