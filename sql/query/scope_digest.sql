-- Digest over the page digests of cohort $2.
SELECT scope_digest($1, $2)
