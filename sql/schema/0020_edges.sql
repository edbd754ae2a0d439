-- An edge remembers what was found there last, and since when something of it is wrong: what lasts is an alarm.

ALTER TABLE edge ADD COLUMN data text NOT NULL DEFAULT '{}', ADD COLUMN wrong_since bigint;

-- Notes what an edge showed. Findings that were not there at the last look, or are not there any more, are an event;
-- `data` is canonical JSON made by the program. Wrong is an error, or an edge that gives nothing.
CREATE OR REPLACE FUNCTION edge_note(c integer, kind text, iss integer, url text, vantage text, at bigint, status integer,
                                     problem text, headers text, sha bytea, size bigint, crl_number bytea, this_update bigint,
                                     next_update bigint, counts boolean, findings text, actor text, data text)
RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    before text;
    wrong CONSTANT boolean := coalesce((data::json ->> 'errors')::integer, 0) > 0
                              OR 'edge_unreachable' = ANY (string_to_array(findings, ' '));
BEGIN
    SELECT e.findings INTO before FROM edge e
     WHERE e.campaign = c AND e.kind = kind AND e.issuer = iss AND e.url = url AND e.vantage = vantage FOR UPDATE;
    INSERT INTO edge AS e VALUES (c, kind, iss, url, vantage, at, status, problem, headers, sha, size, crl_number, this_update,
                                  next_update, counts, findings, data, CASE WHEN wrong THEN at END)
        ON CONFLICT ON CONSTRAINT edge_pkey DO UPDATE
       SET at = excluded.at, status = excluded.status, problem = excluded.problem, headers = excluded.headers,
           sha256 = excluded.sha256, size = excluded.size, crl_number = excluded.crl_number,
           this_update = excluded.this_update, next_update = excluded.next_update, counts = excluded.counts,
           findings = excluded.findings, data = excluded.data,
           wrong_since = CASE WHEN wrong THEN coalesce(e.wrong_since, excluded.wrong_since) END;
    IF coalesce(before, '') = findings THEN
        RETURN false;
    END IF;
    PERFORM log_note(c, at, actor, 'finding', data);
    RETURN true;
END $$;
