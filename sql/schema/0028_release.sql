-- A request to release a court hold names certificates, and its approval releases these and no others. Its text, which
-- is what people sign, bears their digest; what is kept here must give it again.
CREATE TABLE request_item (
    campaign integer NOT NULL,
    request integer NOT NULL,
    issuer integer NOT NULL,
    serial bytea NOT NULL CHECK (length(serial) BETWEEN 1 AND 20),
    PRIMARY KEY (campaign, request, issuer, serial)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON request_item
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Requests of before named a hold and no certificates. Those that were not carried out, for their hold is in force,
-- never will be.
UPDATE request r SET void_reason = 'it names no certificates: release them anew'
  FROM hold h
 WHERE r.what = 'release' AND r.void_reason = '' AND h.campaign = r.campaign AND h.hold = r.hold AND h.active;

DROP FUNCTION request_add(integer, text, integer, integer, integer, bigint, bigint, text[], text, text, text);

-- As before, with the certificates that it names (none: it names a plan, a hold or a change). Only the first marker is its
-- number's place: a person's words follow.
CREATE FUNCTION request_add(c integer, what text, k integer, p integer, h integer, at bigint, expires bigint,
                            requesters text[], body text, issuers integer[], serials bytea[], actor text, data text)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE r integer;
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    SELECT coalesce(max(request), 0) + 1 INTO r FROM request WHERE campaign = c;
    INSERT INTO request VALUES (c, r, what, k, p, h, at, expires, requesters, regexp_replace(body, '@REQUEST@', r::text));
    INSERT INTO request_item SELECT c, r, i, z FROM unnest(issuers, serials) x(i, z);
    PERFORM log_note(c, at, actor, 'request', replace(data, '@REQUEST@', r::text));
    RETURN r;
END $$;

-- Ends an active hold for these certificates; what another active hold names stays held. NULL, all of them, is for a
-- delay whose end has come: a court hold never ends as a whole.
CREATE OR REPLACE FUNCTION hold_release(c integer, h integer, issuers integer[], serials bytea[], at bigint, actor text,
                                        type text, data text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE s bigint; ns integer[];
BEGIN
    UPDATE campaign SET generation = generation + 1 WHERE campaign = c;
    IF NOT EXISTS (SELECT 1 FROM hold WHERE campaign = c AND hold = h AND active) THEN
        RETURN 0;
    END IF;
    IF issuers IS NULL AND EXISTS (SELECT 1 FROM hold WHERE campaign = c AND hold = h AND kind = 'court') THEN
        RAISE EXCEPTION 'court hold % ends only for certificates that are named', h USING ERRCODE = 'MR006';
    END IF;
    UPDATE hold_item x SET released = true
     WHERE x.campaign = c AND x.hold = h AND NOT x.released
       AND (issuers IS NULL OR EXISTS (SELECT 1 FROM unnest(issuers, serials) y(i, z)
                                        WHERE y.i = x.issuer AND y.z = x.serial));
    SELECT array_agg(t.number ORDER BY t.number) INTO ns
      FROM hold_item x JOIN affected t USING (campaign, issuer, serial)
     WHERE x.campaign = c AND x.hold = h AND x.released AND t.number IS NOT NULL AND NOT t.withdrawn
       AND (issuers IS NULL OR EXISTS (SELECT 1 FROM unnest(issuers, serials) y(i, z)
                                        WHERE y.i = x.issuer AND y.z = x.serial))
       AND NOT EXISTS (SELECT 1 FROM hold_item o JOIN hold g USING (campaign, hold)
                        WHERE o.campaign = c AND g.active AND NOT o.released
                          AND o.issuer = x.issuer AND o.serial = x.serial);
    IF NOT EXISTS (SELECT 1 FROM hold_item x WHERE x.campaign = c AND x.hold = h AND NOT x.released) THEN
        UPDATE hold SET active = false, ended_at = hold_release.at WHERE campaign = c AND hold = h;
    END IF;
    ns := coalesce(ns, '{}');
    PERFORM chunks_lock(c, ns);
    PERFORM pages_lock(c, ns);
    s := log_begin(c);
    IF cardinality(ns) > 0 THEN
        PERFORM ledger_apply(c, s, ns, array_fill(event_code('release'), ARRAY[cardinality(ns)]));
        PERFORM chunks_settle(c, ns);
    END IF;
    PERFORM log_end(c, s, at, actor, type, data);
    RETURN cardinality(ns);
END $$;
