-- Makes a hold bind.
SELECT hold_activate($1, $2, $3, $4, $5, $6)
