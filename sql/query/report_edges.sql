-- Edges of campaign $1: how many, how many gave nothing at the last look, how many gave what does not count or differs from
-- the others, and the first of those with what was found.
SELECT count(*), count(*) FILTER (WHERE problem <> ''), count(*) FILTER (WHERE odd),
       coalesce((array_agg(format('%s %s: %s', vantage, url, CASE WHEN problem <> '' THEN problem ELSE findings END)
                           ORDER BY odd DESC, kind, url, vantage) FILTER (WHERE odd OR problem <> ''))[1], '')
  FROM (SELECT e.*, problem = '' AND (NOT counts OR findings ~ '\m(edge_differs|edge_older|ocsp_good_after)\M') AS odd
          FROM edge e WHERE campaign = $1) x
