-- Everybody who opened, imported, moved a clock or planned for cohort $2 (0: for any).
SELECT DISTINCT author FROM (
    SELECT opened_by AS author FROM campaign WHERE campaign = $1
    UNION SELECT author FROM population WHERE campaign = $1 AND ($2 = 0 OR cohort = $2)
    UNION SELECT author FROM clock WHERE campaign = $1 AND anchor = 'received' AND ($2 = 0 OR cohort IN (0, $2))
    UNION SELECT author FROM clock_change WHERE campaign = $1 AND ($2 = 0 OR cohort IN (0, $2)) AND applied_at IS NOT NULL
    UNION SELECT author FROM plan WHERE campaign = $1 AND ($2 = 0 OR cohort = $2)) x ORDER BY author
