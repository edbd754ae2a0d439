-- How many of a page's state bytes say `state`, in a handful of operations over all of them: the differences of the low
-- four bits are folded into the last one; those of the marks above them don't get that far.
CREATE FUNCTION count_state(states bytea, state integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT length(states) - bit_count((y.d | (y.d >> 1)) & bits_of(bytes_of(1, length(states))))::integer
      FROM (SELECT x.d | (x.d >> 2) AS d
              FROM (SELECT bits_of(states) # bits_of(bytes_of(state, length(states))) AS d) x) y
$$;
