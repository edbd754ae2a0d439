-- Keeps what the last round over all pages of campaign $1 found, for status.
INSERT INTO balance VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (campaign) DO UPDATE SET checked_at = excluded.checked_at, counted_twice = excluded.counted_twice,
       not_counted = excluded.not_counted, detail = excluded.detail
