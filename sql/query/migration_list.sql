-- Applied migrations in order -> name, sha256
SELECT name, sha256 FROM migration ORDER BY nth
