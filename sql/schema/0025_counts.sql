-- When dealt work ends at the measured rates is worked out by the program, from the chunks' times and sizes: a running sum
-- over rows cost most of what a look at a large campaign did.
DROP FUNCTION pace(integer, bigint, smallint[], bigint[], bigint[]);
DROP FUNCTION pace_each(integer, bigint, smallint[], bigint[], bigint[]);

-- How many bytes of a page's states are a state, as before, each step worked out once: OFFSET 0 keeps the planner from
-- writing a step out wherever it is used, which made it do the first one four times.
CREATE OR REPLACE FUNCTION count_state(states bytea, state integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT length(states) - bit_count((y.d | (y.d >> 1)) & bits_of(bytes_of(1, length(states))))::integer
      FROM (SELECT x.d | (x.d >> 2) AS d
              FROM (SELECT bits_of(states) # bits_of(bytes_of(state, length(states))) AS d OFFSET 0) x OFFSET 0) y
$$;
