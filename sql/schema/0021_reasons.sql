-- When the keys of a cohort were compromised, as far as known: the date of its entries (BR 7.2.2 asks for it with
-- keyCompromise). What engines send is the date in the request that was signed, never this column.
ALTER TABLE cohort ADD COLUMN compromised_at bigint;

CREATE FUNCTION cohort_compromised(c integer, k integer, compromised bigint, at bigint, actor text, data text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    UPDATE cohort o SET compromised_at = compromised WHERE o.campaign = c AND o.cohort = k AND o.started_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'cohort % has started: its dates are approved', k USING ERRCODE = 'MR006';
    END IF;
    PERFORM requests_void(c, k, format('the date of the compromise of cohort %s changed', k));
    PERFORM log_note(c, at, actor, 'compromised', data);
END $$;
