-- Approvals of request $2.
SELECT approver, at, signature FROM approval WHERE campaign = $1 AND request = $2 ORDER BY at, approver
