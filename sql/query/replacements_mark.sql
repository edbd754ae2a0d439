-- Marks the staged certificates as replaced -> accepted, duplicate, unknown, lines of the unknown ones.
SELECT accepted, duplicate, unknown, strangers FROM replacements_mark($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
