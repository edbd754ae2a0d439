-- Heartbeat -> alive, generation.
SELECT alive, generation FROM engine_beat($1, $2, $3)
