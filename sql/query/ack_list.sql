-- Acknowledgements of campaign $1.
SELECT subscriber, at FROM ack WHERE campaign = $1 ORDER BY subscriber COLLATE "C"
