-- The clock: anchors with the text of their time as typed, changes of a clock or a clause, and what people said about
-- their tasks.

-- `nth` keeps the order in which anchors were recorded; `raw` is the time as somebody typed it, so that a local time
-- taken for UTC can be told apart later.
ALTER TABLE clock ADD COLUMN raw text NOT NULL DEFAULT '';
ALTER TABLE clock ADD COLUMN nth bigint GENERATED ALWAYS AS IDENTITY;

-- A request for one of these names the number of its change in `hold`.
ALTER TABLE request DROP CONSTRAINT request_what_check;
ALTER TABLE request ADD CONSTRAINT request_what_check CHECK (what IN ('plan', 'hold', 'release', 'clock', 'rule'));

-- One change of a receipt or a clause: a row for each cohort it moves, and one for the campaign (cohort 0) if later
-- lists are to take it too. Applied once, and only to the clock it was made from.
CREATE TABLE clock_change (
    campaign integer NOT NULL,
    change integer NOT NULL,
    cohort integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('clock', 'rule')),
    old_rule text NOT NULL,
    old_reason smallint NOT NULL,
    old_received bigint NOT NULL,
    old_deadline bigint NOT NULL,
    rule text NOT NULL,
    reason smallint NOT NULL,
    received bigint NOT NULL,
    deadline bigint NOT NULL,
    should_by bigint,
    source text NOT NULL,
    raw text NOT NULL,
    author text NOT NULL,
    at bigint NOT NULL,
    applied_at bigint,
    PRIMARY KEY (campaign, change, cohort)
);

-- What people said about a task, under the words and the time it then had; the tasks themselves follow from plans/clocks.
CREATE TABLE task (
    campaign integer NOT NULL,
    name text NOT NULL,
    cohort integer NOT NULL,
    title text NOT NULL,
    section text NOT NULL,
    document text NOT NULL,
    role text NOT NULL,
    due bigint NOT NULL,
    person text NOT NULL,
    done_at bigint,
    done_by text NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (campaign, name)
);

-- Records an anchor that moves nothing, for the campaign (0) and these cohorts.
CREATE FUNCTION anchor_add(c integer, ks integer[], anchor text, t bigint, source text, raw text, at bigint, actor text,
                           data text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    INSERT INTO clock (campaign, cohort, anchor, at, source, author, recorded_at, raw)
    SELECT c, k, anchor_add.anchor, t, anchor_add.source, actor, anchor_add.at, anchor_add.raw FROM unnest(ks) k;
    PERFORM log_note(c, anchor_add.at, actor, 'anchor', data);
END $$;

-- Writes a change down without applying it.
CREATE FUNCTION clock_propose(c integer, kind text, source text, raw text, ks integer[], old_rules text[],
                              old_reasons integer[], old_received bigint[], old_deadlines bigint[], rules text[],
                              reasons integer[], received bigint[], deadlines bigint[], should_bys bigint[], at bigint,
                              actor text) RETURNS integer LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE h integer;
BEGIN
    PERFORM 1 FROM campaign g WHERE g.campaign = c FOR NO KEY UPDATE;
    SELECT coalesce(max(x.change), 0) + 1 INTO h FROM clock_change x WHERE x.campaign = c;
    INSERT INTO clock_change
    SELECT c, h, u.k, kind, u.r0, u.n0, u.t0, u.d0, u.r, u.n, u.t, u.d, u.b, source, raw, actor, at, NULL
      FROM unnest(ks, old_rules, old_reasons, old_received, old_deadlines, rules, reasons, received, deadlines,
                  should_bys) u(k, r0, n0, t0, d0, r, n, t, d, b);
    RETURN h;
END $$;

-- Applies a change to every cohort it names, if each still has the clock it was made from (MR006 otherwise). A cohort
-- that has not started takes the new reason and loses numbers and plan, and whatever waits for an approval of them; one
-- that has keeps its reason, or refuses. Other changes that wait on these cohorts lose their object.
CREATE FUNCTION clock_apply(c integer, h integer, at bigint, actor text, type text, data text) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE x clock_change%ROWTYPE; o cohort%ROWTYPE; now_at bigint := at;
BEGIN
    PERFORM 1 FROM campaign WHERE campaign = c FOR NO KEY UPDATE;
    IF EXISTS (SELECT 1 FROM clock_change WHERE campaign = c AND change = h AND applied_at IS NOT NULL) THEN
        RETURN;
    END IF;
    FOR x IN SELECT * FROM clock_change WHERE campaign = c AND change = h ORDER BY cohort LOOP
        IF x.cohort = 0 THEN
            UPDATE campaign SET rule = x.rule, received = x.received
             WHERE campaign = c AND rule = x.old_rule AND received = x.old_received;
        ELSE
            SELECT * INTO o FROM cohort WHERE campaign = c AND cohort = x.cohort;
            IF o.started_at IS NOT NULL AND x.reason <> o.reason THEN
                RAISE EXCEPTION 'cohort % has started: its reason is signed', x.cohort USING ERRCODE = 'MR006';
            END IF;
            UPDATE cohort SET rule = x.rule, reason = x.reason, received = x.received, deadline = x.deadline,
                   should_by = x.should_by
             WHERE campaign = c AND cohort = x.cohort AND rule = x.old_rule AND reason = x.old_reason
               AND received = x.old_received AND deadline = x.old_deadline;
        END IF;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the clock of cohort % changed meanwhile', x.cohort USING ERRCODE = 'MR006';
        END IF;
        IF x.cohort > 0 AND o.started_at IS NULL THEN
            UPDATE certificate SET reason = x.reason WHERE campaign = c AND cohort = x.cohort AND reason <> x.reason;
            PERFORM requests_void(c, x.cohort, format('the clock of cohort %s changed', x.cohort));
            PERFORM cohort_unplan(c, x.cohort);
        END IF;
        IF x.kind = 'clock' THEN
            INSERT INTO clock (campaign, cohort, anchor, at, source, author, recorded_at, raw)
            VALUES (c, x.cohort, 'received', x.received, x.source, x.author, now_at, x.raw);
        END IF;
    END LOOP;
    UPDATE clock_change SET applied_at = now_at WHERE campaign = c AND change = h;
    UPDATE request r SET void_reason = 'the clock it names changed meanwhile'
     WHERE r.campaign = c AND r.what IN ('clock', 'rule') AND r.void_reason = '' AND r.hold <> h
       AND EXISTS (SELECT 1 FROM clock_change y JOIN clock_change z ON z.campaign = c AND z.change = h AND z.cohort = y.cohort
                    WHERE y.campaign = c AND y.change = r.hold AND y.applied_at IS NULL);
    PERFORM certificates_refresh(c);
    PERFORM log_note(c, now_at, actor, type, data);
END $$;

-- A change that needs no approval.
CREATE FUNCTION clock_move(c integer, kind text, source text, raw text, ks integer[], old_rules text[],
                           old_reasons integer[], old_received bigint[], old_deadlines bigint[], rules text[],
                           reasons integer[], received bigint[], deadlines bigint[], should_bys bigint[], at bigint,
                           actor text, data text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE h integer;
BEGIN
    h := clock_propose(c, kind, source, raw, ks, old_rules, old_reasons, old_received, old_deadlines, rules, reasons,
                       received, deadlines, should_bys, at, actor);
    PERFORM clock_apply(c, h, at, actor, kind, data);
    RETURN h;
END $$;

-- Somebody says something about a task: who does it (NULL: as before), or that it is done.
CREATE FUNCTION task_say(c integer, name text, k integer, title text, section text, document text, role text, due bigint,
                         person text, done boolean, note text, at bigint, actor text, type text, data text)
RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
    PERFORM 1 FROM campaign g WHERE g.campaign = c FOR NO KEY UPDATE;
    IF EXISTS (SELECT 1 FROM task t WHERE t.campaign = c AND t.name = name AND t.done_at IS NOT NULL) THEN
        RAISE EXCEPTION 'task % is done already', name USING ERRCODE = 'MR006';
    END IF;
    INSERT INTO task AS t
    VALUES (c, name, k, title, section, document, role, due, coalesce(person, ''), CASE WHEN done THEN at END,
            CASE WHEN done THEN actor ELSE '' END, note)
    ON CONFLICT ON CONSTRAINT task_pkey DO UPDATE SET title = excluded.title, section = excluded.section,
        document = excluded.document, role = excluded.role, due = excluded.due,
        person = CASE WHEN person IS NULL THEN t.person ELSE person END, done_at = excluded.done_at,
        done_by = excluded.done_by, note = CASE WHEN excluded.note = '' THEN t.note ELSE excluded.note END;
    PERFORM log_note(c, at, actor, type, data);
END $$;
