-- Leaves that were written to campaign $1.
SELECT size FROM log WHERE campaign = $1
