-- Certificates that version $2 of campaign $1 added: by their key, orphans, precertificates, siblings, expired, short-lived.
SELECT count(*) FILTER (WHERE marks & 4 <> 0), count(*) FILTER (WHERE marks & 1 <> 0), count(*) FILTER (WHERE marks & 2 <> 0),
       count(*) FILTER (WHERE marks & 8 <> 0), count(*) FILTER (WHERE excluded = 'expired_before_receipt'),
       count(*) FILTER (WHERE excluded = 'short_lived')
  FROM certificate WHERE campaign = $1 AND version = $2
