-- What the last round over all pages of campaign $1 found.
SELECT checked_at, counted_twice, not_counted, detail FROM balance WHERE campaign = $1
