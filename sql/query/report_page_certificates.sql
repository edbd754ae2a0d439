-- Numbered certificates per page: rows, withdrawn ones.
SELECT number / 1000, count(*), count(*) FILTER (WHERE withdrawn) FROM certificate
 WHERE campaign = $1 AND number IS NOT NULL GROUP BY 1 ORDER BY 1
