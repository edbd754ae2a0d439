-- Campaign $1 works on this database, unless that is known.
INSERT INTO generation SELECT $1, system_mark() ON CONFLICT DO NOTHING
