-- As present_all, of the staged ones.
SELECT * FROM present_listed($1, $2, $3)
