-- About how many certificates the inventory has.
SELECT reltuples::bigint FROM pg_class WHERE oid = 'inventory'::regclass
