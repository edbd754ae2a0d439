-- The lock file of engine $1 is free.
UPDATE engine SET freed = true WHERE engine = $1
