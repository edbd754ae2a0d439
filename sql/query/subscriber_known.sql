-- Does campaign $1 have subscriber $2?.
SELECT EXISTS (SELECT 1 FROM certificate WHERE campaign = $1 AND subscriber = $2)
