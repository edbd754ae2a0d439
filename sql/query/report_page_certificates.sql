-- Certificate rows with a number per page of campaign $1: in scope, withdrawn.
SELECT number / 1000, count(*) FILTER (WHERE excluded IS NULL), count(*) FILTER (WHERE withdrawn) FROM certificate
 WHERE campaign = $1 AND number IS NOT NULL GROUP BY 1 ORDER BY 1
