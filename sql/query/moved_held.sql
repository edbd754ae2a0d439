-- Chunks of campaign $1 that wait at $2 for a message, for those who may not look whether it was sent.
SELECT moved_held($1, $2)
