-- Outcomes of tries.
SELECT notice_tried($1, $2, $3, $4, $5, $6)
