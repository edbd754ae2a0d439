-- How many subscribers of campaign $1 have answered.
SELECT count(*) FROM ack WHERE campaign = $1
