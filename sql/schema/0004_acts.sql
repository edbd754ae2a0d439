-- What people do: open, import, plan, approve, start, and the brakes. Each function is one act, one transaction and
-- one event. A brake bumps the campaign's generation, so that no request starts more than a second later.

CREATE FUNCTION campaign_open(name text, mode text, at bigint, actor text, bug bigint, rule text, received bigint,
                              profile text, source text, data text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE c integer;
BEGIN
    INSERT INTO campaign (name, mode, opened_at, opened_by, bug, rule, received, profile)
    VALUES (name, mode, at, actor, bug, rule, received, profile) RETURNING campaign INTO c;
    INSERT INTO log (campaign) VALUES (c);
    INSERT INTO clock VALUES (c, 0, 'received', received, source, actor, at);
    PERFORM log_note(c, at, actor, 'open', data);
    RETURN c;
END $$;

-- Approvals that wait on a cohort that has not started, or was stopped by a withdrawal, lose their object.
CREATE FUNCTION requests_void(c integer, k integer, why text) RETURNS void LANGUAGE sql AS $$
    UPDATE request r SET void_reason = why
      FROM cohort o
     WHERE r.campaign = c AND o.campaign = c AND o.cohort = r.cohort AND r.cohort = k AND r.what = 'plan'
       AND (o.started_at IS NULL OR o.voided_at IS NOT NULL) AND r.void_reason = ''
$$;

-- Takes the numbers of a cohort that has not started back: whatever it was planned from has changed. What no plan
-- covers any more must not be counted by pages that still do.
CREATE FUNCTION cohort_unplan(c integer, k integer) RETURNS void LANGUAGE sql AS $$
    UPDATE chunk SET state = 'closed', owner = NULL WHERE campaign = c AND cohort = k AND state <> 'closed';
    DELETE FROM page WHERE campaign = c AND cohort = k;
    UPDATE certificate SET number = NULL WHERE campaign = c AND cohort = k AND number IS NOT NULL;
    UPDATE cohort SET plan = NULL WHERE campaign = c AND cohort = k;
$$;

-- A certificate of a cohort that has not started turns out to be short-lived.
CREATE FUNCTION short_exclude(c integer, iss integer, z bytea) RETURNS void LANGUAGE sql AS $$
    SELECT cohort_unplan(c, t.cohort) FROM certificate t
     WHERE t.campaign = c AND t.issuer = iss AND t.serial = z AND t.number IS NOT NULL;
    UPDATE certificate SET excluded = 'short_lived' WHERE campaign = c AND issuer = iss AND serial = z;
$$;

-- Facts of the inventory for certificates of cohorts that have not started; needs: 1 CRL, 2 OCSP. A certificate
-- without any pointer is proved from the CRL configured for its issuer, when there is one.
CREATE FUNCTION certificates_refresh(c integer) RETURNS void LANGUAGE sql AS $$
    UPDATE certificate k
       SET known = v.serial IS NOT NULL, subscriber = coalesce(v.subscriber, ''), not_after = v.not_after,
           needs = CASE WHEN coalesce(v.cdp, '') <> '' OR coalesce(v.ocsp, '') <> ''
                        THEN (coalesce(v.cdp, '') <> '')::int + 2 * (coalesce(v.ocsp, '') <> '')::int
                        ELSE (i.crl <> '')::int END,
           excluded = CASE WHEN v.not_after < o.received THEN 'expired_before_receipt'
                           WHEN k.excluded = 'short_lived' THEN 'short_lived' END
      FROM certificate j
      JOIN issuer i ON i.issuer = j.issuer
      JOIN cohort o ON o.campaign = j.campaign AND o.cohort = j.cohort
      LEFT JOIN inventory v ON v.issuer = j.issuer AND v.serial = j.serial
     WHERE j.campaign = c AND o.started_at IS NULL AND k.campaign = j.campaign AND k.issuer = j.issuer AND k.serial = j.serial
$$;

-- Adds the staged list (temporary table staging(issuer, serial, line)) to the cohort of this rule and receipt that
-- has not started, or to a new one. Returns the cohort, and how many were new to the campaign.
CREATE FUNCTION population_add(c integer, rule text, reason smallint, received bigint, deadline bigint, should_by bigint,
                               source text, author text, sha bytea, at bigint, lines bigint, accepted bigint,
                               duplicate bigint, rejected bigint, data text)
RETURNS TABLE (cohort integer, added bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE k integer; v integer; n bigint; received_ bigint := received; rule_ text := rule;
BEGIN
    PERFORM 1 FROM campaign g WHERE g.campaign = c FOR NO KEY UPDATE;
    SELECT o.cohort INTO k FROM cohort o
     WHERE o.campaign = c AND o.started_at IS NULL AND o.rule = rule_ AND o.received = received_;
    IF k IS NULL AND NOT EXISTS (SELECT 1 FROM staging s WHERE NOT EXISTS (
            SELECT 1 FROM certificate t WHERE t.campaign = c AND t.issuer = s.issuer AND t.serial = s.serial)) THEN
        SELECT max(o.cohort) INTO k FROM cohort o WHERE o.campaign = c; -- nothing new: no cohort to wait for a plan
    END IF;
    IF k IS NULL THEN
        SELECT coalesce(max(o.cohort), 0) + 1 INTO k FROM cohort o WHERE o.campaign = c;
        INSERT INTO cohort (campaign, cohort, rule, reason, received, deadline, should_by)
        VALUES (c, k, rule_, $3, received_, $5, $6);
        INSERT INTO clock VALUES (c, k, 'received', received_, source, author, at);
    END IF;
    SELECT coalesce(max(p.version), 0) + 1 INTO v FROM population p WHERE p.campaign = c;
    INSERT INTO certificate (campaign, issuer, serial, cohort, version, line, reason)
    SELECT c, s.issuer, s.serial, k, v, s.line, $3 FROM staging s ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    INSERT INTO population VALUES (c, v, k, source, author, sha, at, lines, accepted, duplicate, rejected, n);
    ANALYZE certificate; -- a fresh list without statistics makes plan_number() compare every row with every row
    PERFORM certificates_refresh(c);
    IF n > 0 THEN
        PERFORM requests_void(c, k, format('the list of cohort %s changed', k));
        PERFORM cohort_unplan(c, k);
    END IF;
    PERFORM log_note(c, at, author, 'import', data);
    RETURN QUERY SELECT k, n;
END $$;

-- Numbers a cohort that has not started, in the order (issuer, subscriber, serial) as known now: fresh pages, one
-- issuer a page, each with the digest of (number, issuer, serial, reason). Holds that name its certificates apply.
CREATE FUNCTION plan_number(c integer, k integer, at bigint, actor text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    base integer; pages integer; s bigint; n integer; held_numbers integer[];
BEGIN
    SELECT next_page INTO base FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    IF EXISTS (SELECT 1 FROM cohort WHERE campaign = c AND cohort = k AND started_at IS NOT NULL) THEN
        RAISE EXCEPTION 'cohort % has started: its numbers are permanent', k USING ERRCODE = 'MR006';
    END IF;
    PERFORM certificates_refresh(c);
    PERFORM requests_void(c, k, format('cohort %s was planned anew', k));
    PERFORM cohort_unplan(c, k);
    WITH placed AS (
        SELECT issuer, serial,
               row_number() OVER (PARTITION BY issuer ORDER BY subscriber COLLATE "C", length(serial), serial) - 1 AS place
          FROM certificate WHERE campaign = c AND cohort = k AND excluded IS NULL AND NOT withdrawn
    ), issuers AS (
        SELECT issuer, base + coalesce(sum((count(*) + 999) / 1000) OVER (ORDER BY issuer ROWS BETWEEN UNBOUNDED PRECEDING
                                                                           AND 1 PRECEDING), 0) AS first_page
          FROM placed GROUP BY issuer
    )
    UPDATE certificate t SET number = i.first_page * 1000 + p.place
      FROM placed p JOIN issuers i USING (issuer)
     WHERE t.campaign = c AND t.issuer = p.issuer AND t.serial = p.serial;
    GET DIAGNOSTICS n = ROW_COUNT;
    INSERT INTO page (campaign, page, cohort, issuer, states, needs, scope, used, not_revoked)
    SELECT c, t.number / 1000, k, t.issuer,
           string_agg(set_byte('\x00'::bytea, 0, state_code('waiting')), ''::bytea ORDER BY t.number),
           string_agg(set_byte('\x00'::bytea, 0, t.needs), ''::bytea ORDER BY t.number),
           sha256(string_agg(int4send(t.number) || i.sha256 || set_byte('\x00'::bytea, 0, length(t.serial)) || t.serial
                             || int2send(t.reason), ''::bytea ORDER BY t.number)),
           count(*), count(*)
      FROM certificate t JOIN issuer i USING (issuer)
     WHERE t.campaign = c AND t.cohort = k AND t.number IS NOT NULL
     GROUP BY t.number / 1000, t.issuer;
    GET DIAGNOSTICS pages = ROW_COUNT;
    UPDATE campaign SET next_page = base + pages WHERE campaign = c;
    SELECT array_agg(t.number ORDER BY t.number) INTO held_numbers
      FROM certificate t
     WHERE t.campaign = c AND t.cohort = k AND t.number IS NOT NULL
       AND EXISTS (SELECT 1 FROM hold h JOIN hold_item x USING (campaign, hold)
                    WHERE h.campaign = c AND h.active AND NOT x.released AND x.issuer = t.issuer AND x.serial = t.serial);
    s := log_begin(c);
    IF held_numbers IS NOT NULL THEN
        PERFORM ledger_apply(c, s, held_numbers, array_fill(event_code('hold'), ARRAY[cardinality(held_numbers)]));
    END IF;
    PERFORM log_end(c, s, at, actor, 'number',
                    format('{"certificates":%s,"cohort":%s,"first_page":%s,"pages":%s}', n, k, base, pages));
    RETURN n;
END $$;

-- What is signed: SHA-256 over the page digests of a cohort, ascending.
CREATE FUNCTION scope_digest(c integer, k integer) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(coalesce(string_agg(int4send(page) || scope, ''::bytea ORDER BY page), ''::bytea))
      FROM page WHERE campaign = c AND cohort = k
$$;

-- Numbers of a cohort that a (re)plan must deal: unsettled ones in no chunk or in a chunk that is not claimed.
CREATE FUNCTION plan_scope(c integer, k integer) RETURNS integer[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(p.page * 1000 + o ORDER BY p.page * 1000 + o), '{}')
      FROM page p, generate_series(0, p.used - 1) o
     WHERE p.campaign = c AND p.cohort = k
       AND get_byte(p.states, o) & 15 IN (state_code('waiting'), state_code('due'), state_code('asked'),
               state_code('doubt'), state_code('held'), state_code('unknown'), state_code('needs_person'))
       AND p.page * 1000 + o NOT IN (SELECT unnest(h.numbers) FROM chunk h
                                      WHERE h.campaign = c AND h.cohort = k AND h.state = 'claimed')
$$;

-- Writes a plan and deals its chunks. Chunks never claimed or given back close; the set they held is read again
-- under lock and must be what was planned (MR040 otherwise: plan again). Numbers that the plan deals into no chunk
-- (they expire first) stay waiting. firsts/counts slice `numbers`. What is dealt anew is a canary only if this plan says
-- so: one left marked in an ordinary chunk would wait for itself.
CREATE FUNCTION plan_deal(c integer, k integer, at bigint, actor text, sha bytea, body text, summary text,
                          planned integer[], cas smallint[], issuers integer[], canary boolean[], slot_starts bigint[],
                          dues bigint[], firsts integer[], counts integer[], numbers integer[], canaries integer[],
                          data text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    p integer; top integer; s bigint; closed integer[];
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    PERFORM 1 FROM chunk WHERE campaign = c AND cohort = k AND state IN ('ready', 'claimed', 'idle')
      ORDER BY chunk FOR NO KEY UPDATE;
    PERFORM 1 FROM page WHERE campaign = c AND cohort = k ORDER BY page FOR NO KEY UPDATE;
    IF plan_scope(c, k) <> planned THEN
        RAISE EXCEPTION 'the set to plan changed meanwhile' USING ERRCODE = 'MR040';
    END IF;
    SELECT coalesce(max(plan.plan), 0) + 1 INTO p FROM plan WHERE campaign = c;
    SELECT coalesce(max(chunk), 0) INTO top FROM chunk WHERE campaign = c;
    UPDATE cohort SET plan = p WHERE campaign = c AND cohort = k;
    PERFORM requests_void(c, k, format('plan %s replaced the plan it names', p));
    s := log_begin(c);
    UPDATE chunk SET state = 'closed' WHERE campaign = c AND cohort = k AND state IN ('ready', 'idle');
    PERFORM ledger_apply_where(c, s, planned, ARRAY[state_code('due')], event_code('close'));
    INSERT INTO plan VALUES (c, p, k, at, actor, sha, body, summary);
    INSERT INTO chunk (campaign, chunk, plan, cohort, ca, issuer, canary, slot_start, due_at, numbers)
    SELECT c, top + i, p, k, a, u, y, t, d, numbers[f + 1 : f + n]
      FROM unnest(cas, issuers, canary, slot_starts, dues, firsts, counts) WITH ORDINALITY AS x(a, u, y, t, d, f, n, i);
    UPDATE page g SET canaries = x.offs, canary_open = canaries_open(g.states, x.offs)
      FROM (SELECT q.page, ARRAY(SELECT o FROM unnest(q.canaries) o
                                  WHERE q.page * 1000 + o NOT IN (SELECT unnest(planned))
                                 UNION SELECT (n % 1000)::smallint FROM unnest(plan_deal.canaries) n
                                  WHERE n / 1000 = q.page ORDER BY 1) AS offs
              FROM page q WHERE q.campaign = c AND q.cohort = k) x
     WHERE g.campaign = c AND g.page = x.page AND g.canaries <> x.offs;
    PERFORM log_end(c, s, at, actor, 'plan', data);
    RETURN p;
END $$;

CREATE FUNCTION request_add(c integer, what text, k integer, p integer, h integer, at bigint, expires bigint,
                            requesters text[], body text, actor text, data text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE r integer;
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    SELECT coalesce(max(request), 0) + 1 INTO r FROM request WHERE campaign = c;
    INSERT INTO request VALUES (c, r, what, k, p, h, at, expires, requesters, replace(body, '@REQUEST@', r::text));
    PERFORM log_note(c, at, actor, 'request', replace(data, '@REQUEST@', r::text));
    RETURN r;
END $$;

-- The signature bytes stay here; the log carries the digest of what was signed.
CREATE FUNCTION approval_add(c integer, r integer, who text, at bigint, sig bytea, data text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE n integer;
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    INSERT INTO approval VALUES (c, r, who, at, sig);
    PERFORM log_note(c, at, who, 'approve', data);
    SELECT count(*) INTO n FROM approval WHERE campaign = c AND request = r;
    RETURN n;
END $$;

-- Whoever starts has judged the request before: what changed since then has voided it or taken the plan away.
CREATE FUNCTION campaign_start(c integer, k integer, r integer, at bigint, actor text, data text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    UPDATE cohort o SET started_at = at, voided_at = NULL
     WHERE o.campaign = c AND o.cohort = k AND o.plan IS NOT NULL AND (o.started_at IS NULL OR o.voided_at IS NOT NULL)
       AND NOT EXISTS (SELECT 1 FROM request q WHERE q.campaign = c AND q.request = r AND q.void_reason <> '');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'cohort % was started, planned anew or changed meanwhile', k USING ERRCODE = 'MR006';
    END IF;
    PERFORM log_note(c, at, actor, 'start', data);
END $$;

-- An approver withdraws: acts as a pause of that cohort.
CREATE FUNCTION cohort_void(c integer, k integer, at bigint, actor text, data text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaign SET generation = generation + 1 WHERE campaign = c;
    PERFORM requests_void(c, k, 'withdrawn by an approver');
    UPDATE request SET void_reason = 'withdrawn by an approver'
     WHERE campaign = c AND cohort = k AND what = 'plan' AND void_reason = '';
    UPDATE cohort SET voided_at = at WHERE campaign = c AND cohort = k AND started_at IS NOT NULL;
    PERFORM log_note(c, at, actor, 'withdraw', data);
END $$;

CREATE FUNCTION campaign_pause(c integer, revoke boolean, notify boolean, why text, at bigint, actor text, type text,
                               data text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaign SET generation = generation + 1, paused_revoke = revoke, paused_notify = notify, pause_reason = why
     WHERE campaign = c;
    PERFORM log_note(c, at, actor, type, data);
END $$;

-- Drops certificates: those already recorded come back as too late; asked or doubtful ones are noted and go the
-- moment the state allows it. Returns per certificate what happened: withdrawn, noted, too_late, absent, already.
CREATE FUNCTION act_drop(c integer, issuers integer[], serials bytea[], at bigint, actor text, data text)
RETURNS TABLE (place integer, verdict text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE s bigint; ns integer[]; before bytea;
BEGIN
    UPDATE campaign SET generation = generation + 1 WHERE campaign = c;
    SELECT array_agg(t.number ORDER BY t.number) INTO ns
      FROM unnest(issuers, serials) x(i, z) JOIN certificate t ON t.campaign = c AND t.issuer = x.i AND t.serial = x.z
     WHERE t.number IS NOT NULL AND NOT t.withdrawn;
    PERFORM requests_void(c, o.cohort, format('certificates of cohort %s were dropped', o.cohort))
       FROM (SELECT DISTINCT t.cohort FROM unnest(issuers, serials) x(i, z)
               JOIN certificate t ON t.campaign = c AND t.issuer = x.i AND t.serial = x.z WHERE NOT t.withdrawn) o;
    UPDATE certificate t SET withdrawn = true FROM unnest(issuers, serials) x(i, z)
     WHERE t.campaign = c AND t.issuer = x.i AND t.serial = x.z AND t.number IS NULL;
    PERFORM chunks_lock(c, coalesce(ns, '{}'));
    PERFORM pages_lock(c, coalesce(ns, '{}'));
    s := log_begin(c);
    IF ns IS NOT NULL THEN
        PERFORM ledger_apply(c, s, ns, array_fill(event_code('drop'), ARRAY[cardinality(ns)]));
        PERFORM chunks_settle(c, ns);
    END IF;
    PERFORM log_end(c, s, at, actor, 'drop', data);
    RETURN QUERY
        SELECT x.n::integer, CASE WHEN t.serial IS NULL THEN 'absent' WHEN t.withdrawn THEN 'withdrawn'
                         WHEN get_byte(states_of(c, ARRAY[t.number]), 0) & 128 <> 0 THEN 'noted' ELSE 'too_late' END
          FROM unnest(issuers, serials) WITH ORDINALITY x(i, z, n)
          LEFT JOIN certificate t ON t.campaign = c AND t.issuer = x.i AND t.serial = x.z ORDER BY x.n;
END $$;

-- Numbers of a hold that are not released.
CREATE FUNCTION hold_numbers(c integer, h integer) RETURNS integer[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(t.number ORDER BY t.number) FROM hold_item x JOIN certificate t USING (campaign, issuer, serial)
     WHERE x.campaign = c AND x.hold = h AND NOT x.released AND t.number IS NOT NULL
$$;

-- Makes a hold bind: at once for a court order, on approval for a delay. What bound or ended already stays as it is.
CREATE FUNCTION hold_activate(c integer, h integer, at bigint, actor text, type text, data text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE s bigint; ns integer[];
BEGIN
    UPDATE campaign SET generation = generation + 1 WHERE campaign = c;
    UPDATE hold SET active = true WHERE campaign = c AND hold = h AND NOT active AND ended_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    ns := coalesce(hold_numbers(c, h), '{}');
    PERFORM chunks_lock(c, ns);
    PERFORM pages_lock(c, ns);
    s := log_begin(c);
    IF cardinality(ns) > 0 THEN
        PERFORM ledger_apply(c, s, ns, array_fill(event_code('hold'), ARRAY[cardinality(ns)]));
        PERFORM chunks_settle(c, ns);
    END IF;
    PERFORM log_end(c, s, at, actor, type, data);
END $$;

CREATE FUNCTION hold_add(c integer, kind text, document text, sha bytea, until_at bigint, issuers integer[],
                         serials bytea[], at bigint, actor text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE h integer;
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    SELECT coalesce(max(hold), 0) + 1 INTO h FROM hold WHERE campaign = c;
    INSERT INTO hold VALUES (c, h, kind, document, sha, until_at, actor, at, false, NULL);
    INSERT INTO hold_item SELECT c, h, t.issuer, t.serial FROM unnest(issuers, serials) x(i, z)
      JOIN certificate t ON t.campaign = c AND t.issuer = x.i AND t.serial = x.z AND NOT t.withdrawn
      ON CONFLICT DO NOTHING;
    RETURN h;
END $$;

-- Ends an active hold for these certificates (NULL: all); what another active hold names stays held.
CREATE FUNCTION hold_release(c integer, h integer, issuers integer[], serials bytea[], at bigint, actor text, type text,
                             data text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE s bigint; ns integer[];
BEGIN
    UPDATE campaign SET generation = generation + 1 WHERE campaign = c;
    IF NOT EXISTS (SELECT 1 FROM hold WHERE campaign = c AND hold = h AND active) THEN
        RETURN 0;
    END IF;
    UPDATE hold_item x SET released = true
     WHERE x.campaign = c AND x.hold = h AND NOT x.released
       AND (issuers IS NULL OR EXISTS (SELECT 1 FROM unnest(issuers, serials) y(i, z) WHERE y.i = x.issuer AND y.z = x.serial));
    SELECT array_agg(t.number ORDER BY t.number) INTO ns
      FROM hold_item x JOIN certificate t USING (campaign, issuer, serial)
     WHERE x.campaign = c AND x.hold = h AND x.released AND t.number IS NOT NULL
       AND (issuers IS NULL OR EXISTS (SELECT 1 FROM unnest(issuers, serials) y(i, z) WHERE y.i = x.issuer AND y.z = x.serial))
       AND NOT EXISTS (SELECT 1 FROM hold_item o JOIN hold g USING (campaign, hold)
                        WHERE o.campaign = c AND g.active AND NOT o.released AND o.issuer = x.issuer AND o.serial = x.serial);
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
