-- Adds an approval -> approvals of that request.
SELECT approval_add($1, $2, $3, $4, $5, $6)
