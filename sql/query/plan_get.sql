-- Plan $2 of campaign $1.
SELECT plan, cohort, at, author, sha256, text, summary FROM plan WHERE campaign = $1 AND plan = $2
