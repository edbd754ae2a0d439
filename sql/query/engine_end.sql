-- Engine $1 says goodbye at $2.
UPDATE engine SET ended_at = $2 WHERE engine = $1
