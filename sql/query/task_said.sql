-- What people said about tasks of campaign $1.
SELECT name, cohort, title, section, document, role, due, person, done_at, done_by, note FROM task
 WHERE campaign = $1 ORDER BY name COLLATE "C"
