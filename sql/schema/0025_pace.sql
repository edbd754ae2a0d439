-- When dealt work ends at the measured rates is worked out by the program, from the chunks' times and sizes: a running sum
-- over rows cost most of what a look at a large campaign did.
DROP FUNCTION pace(integer, bigint, smallint[], bigint[], bigint[]);
DROP FUNCTION pace_each(integer, bigint, smallint[], bigint[], bigint[]);
