-- Gives chunks back.
SELECT queue_give_back($1, $2, $3, $4, $5)
