-- Everybody who opened, imported, moved a clock or planned for cohort $2.
SELECT DISTINCT author FROM (
    SELECT opened_by AS author FROM campaign WHERE campaign = $1
    UNION SELECT author FROM population WHERE campaign = $1 AND cohort = $2
    UNION SELECT author FROM clock WHERE campaign = $1 AND cohort IN (0, $2)
    UNION SELECT author FROM plan WHERE campaign = $1 AND cohort = $2) x ORDER BY author
