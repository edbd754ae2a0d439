-- As facts_all, of the staged ones.
SELECT * FROM facts_listed($1)
