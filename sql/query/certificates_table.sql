-- A table for the first list of campaign $1; false: it has one.
SELECT certificates_table($1)
