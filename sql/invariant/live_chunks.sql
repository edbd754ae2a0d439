-- Numbers in more than one live chunk. $1 campaign.
SELECT n, 'in more than one live chunk' AS problem
  FROM chunk h, unnest(h.numbers) n
 WHERE h.campaign = $1 AND h.state IN ('ready', 'claimed', 'idle')
 GROUP BY n HAVING count(*) > 1
