-- Heartbeat -> alive, generation; of each CA the engines that send to it, those before this one, until when it is away.
SELECT alive, generation, engines, ranks, untils FROM engine_beat($1, $2, $3, $4, $5)
