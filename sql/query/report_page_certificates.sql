-- Certificate rows with a number per page, $2 up to $3, of campaign $1: in scope, withdrawn.
SELECT number / 1000, count(*) FILTER (WHERE excluded IS NULL), count(*) FILTER (WHERE withdrawn) FROM certificate
 WHERE campaign = $1 AND number BETWEEN $2 * 1000::bigint AND $3 * 1000::bigint + 999 GROUP BY 1 ORDER BY 1
