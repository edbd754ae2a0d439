-- The server's own clock, and whether a commit there outlives a crash.
SELECT floor(extract(epoch FROM clock_timestamp()))::bigint,
       current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
       AND current_setting('synchronous_commit') <> 'off',
       pg_is_in_recovery(), current_setting('server_version')
