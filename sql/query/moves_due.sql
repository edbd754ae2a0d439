-- Running cohorts of campaign $1 whose plan was not compared yet with what people were told.
SELECT cohort FROM cohort
 WHERE campaign = $1 AND started_at IS NOT NULL AND voided_at IS NULL AND plan IS DISTINCT FROM moves_plan ORDER BY cohort
