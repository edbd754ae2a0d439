-- Which certificates the numbers of cohort $2 are.
SELECT m.block, m.ids FROM page p JOIN member m ON m.campaign = $1 AND m.block / 4 = p.page
 WHERE p.campaign = $1 AND p.cohort = $2 ORDER BY m.block
