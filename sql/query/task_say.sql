-- Who does a task, or that it is done.
SELECT task_say($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
