-- Chunks of campaign $1 that wait at $2 for a message.
SELECT moved_waiting($1, $2)
