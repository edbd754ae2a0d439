-- Keys for that table.
SELECT certificates_index($1)
