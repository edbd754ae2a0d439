-- Engine $3 asks CA $1, at $2, at most $4 questions more; what is older than $5 goes.
WITH gone AS (
    DELETE FROM question WHERE (ca, at, engine) IN (SELECT ca, at, engine FROM question WHERE ca = $1 AND at < $5
                                                     LIMIT 1000 FOR UPDATE SKIP LOCKED))
INSERT INTO question AS q VALUES ($1, $2, $3, $4)
    ON CONFLICT (ca, at, engine) DO UPDATE SET asked = q.asked + excluded.asked
