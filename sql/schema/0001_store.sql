-- The store of one massrevoke installation: live campaigns in schema massrevoke, each drill in a schema of its own.
-- Times are bigint UTC seconds of the campaign's clock, set by the program: SQL never asks what time it is.
-- Facts (change, result, sighting, notice_try, event) are append-only; a trigger refuses UPDATE and DELETE.

CREATE TABLE meta (
    key text PRIMARY KEY,
    value text NOT NULL
);

-- Issuing CA certificates ever configured; a number never changes its meaning.
CREATE TABLE issuer (
    issuer integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 bytea NOT NULL UNIQUE CHECK (length(sha256) = 32),
    subject text NOT NULL,
    crl text NOT NULL DEFAULT ''
);

CREATE TABLE inventory (
    issuer integer NOT NULL,
    serial bytea NOT NULL CHECK (length(serial) BETWEEN 1 AND 20),
    subscriber text NOT NULL,
    subject text NOT NULL,
    not_before bigint,
    not_after bigint,
    cert_sha256 bytea,
    precert_sha256 bytea,
    spki_sha256 bytea,
    dns_names text NOT NULL,
    type text NOT NULL,
    cdp text NOT NULL,
    ocsp text NOT NULL,
    certificate_file text NOT NULL,
    PRIMARY KEY (issuer, serial)
);

CREATE TABLE contact (
    contact bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscriber text NOT NULL,
    role text NOT NULL CHECK (role IN ('primary', 'backup', 'partner')),
    tier integer NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    language text NOT NULL,
    timezone text NOT NULL,
    phone text NOT NULL,
    class text NOT NULL,
    address_bad boolean NOT NULL,
    UNIQUE (subscriber, role, email)
);

CREATE TABLE campaign (
    campaign integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    mode text NOT NULL CHECK (mode IN ('live', 'drill')),
    opened_at bigint NOT NULL,
    opened_by text NOT NULL,
    bug bigint NOT NULL,
    rule text NOT NULL,
    received bigint NOT NULL,
    profile text NOT NULL,
    generation bigint NOT NULL DEFAULT 0,
    paused_revoke boolean NOT NULL DEFAULT false,
    paused_notify boolean NOT NULL DEFAULT false,
    pause_reason text NOT NULL DEFAULT '',
    next_page integer NOT NULL DEFAULT 0,
    closed_at bigint
);

-- What the last round of the engine over all pages found: derived, no fact; detail '' when all was right.
CREATE TABLE balance (
    campaign integer PRIMARY KEY REFERENCES campaign,
    checked_at bigint NOT NULL,
    counted_twice bigint NOT NULL,
    not_counted bigint NOT NULL,
    detail text NOT NULL
);

-- The leaves of a campaign's log are numbered without gaps: size is how many there are.
CREATE TABLE log (
    campaign integer PRIMARY KEY REFERENCES campaign,
    size bigint NOT NULL DEFAULT 0
);

CREATE TABLE cohort (
    campaign integer NOT NULL,
    cohort integer NOT NULL,
    rule text NOT NULL,
    reason smallint NOT NULL,
    received bigint NOT NULL,
    deadline bigint NOT NULL,
    should_by bigint,
    plan integer,
    started_at bigint,
    voided_at bigint,
    missed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (campaign, cohort)
);

-- Who said when the clock began, and how they know: the anchors of every cohort.
CREATE TABLE clock (
    campaign integer NOT NULL,
    cohort integer NOT NULL,
    anchor text NOT NULL,
    at bigint NOT NULL,
    source text NOT NULL,
    author text NOT NULL,
    recorded_at bigint NOT NULL
);

CREATE TABLE population (
    campaign integer NOT NULL,
    version integer NOT NULL,
    cohort integer NOT NULL,
    source text NOT NULL,
    author text NOT NULL,
    sha256 bytea NOT NULL,
    at bigint NOT NULL,
    lines bigint NOT NULL,
    accepted bigint NOT NULL,
    duplicate bigint NOT NULL,
    rejected bigint NOT NULL,
    added bigint NOT NULL,
    PRIMARY KEY (campaign, version)
);

-- One affected certificate. number is page * 1000 + offset, permanent from the first start of its cohort; excluded
-- ones have none. withdrawn and excluded are the independent count that the pages are checked against.
CREATE TABLE certificate (
    campaign integer NOT NULL,
    issuer integer NOT NULL,
    serial bytea NOT NULL CHECK (length(serial) BETWEEN 1 AND 20),
    cohort integer NOT NULL,
    version integer NOT NULL,
    line bigint NOT NULL,
    number integer,
    reason smallint NOT NULL,
    known boolean NOT NULL DEFAULT false,
    subscriber text NOT NULL DEFAULT '',
    not_after bigint,
    needs smallint NOT NULL DEFAULT 0,
    excluded text CHECK (excluded IN ('expired_before_receipt', 'short_lived', 'withdrawn')),
    withdrawn boolean NOT NULL DEFAULT false,
    PRIMARY KEY (campaign, issuer, serial)
);
CREATE UNIQUE INDEX certificate_number ON certificate (campaign, number) WHERE number IS NOT NULL;
CREATE INDEX certificate_not_after ON certificate (campaign, not_after) WHERE number IS NOT NULL;

-- 1,000 numbers of one issuer: one state byte and one needs byte each (model/certificate.def), and the counts.
CREATE TABLE page (
    campaign integer NOT NULL,
    page integer NOT NULL,
    cohort integer NOT NULL,
    issuer integer NOT NULL,
    states bytea NOT NULL,
    needs bytea NOT NULL,
    scope bytea NOT NULL CHECK (length(scope) = 32),
    canaries smallint[] NOT NULL DEFAULT '{}',
    used integer NOT NULL CHECK (used BETWEEN 1 AND 1000),
    revoked integer NOT NULL DEFAULT 0 CHECK (revoked >= 0),
    pending_publication integer NOT NULL DEFAULT 0 CHECK (pending_publication >= 0),
    not_revoked integer NOT NULL DEFAULT 0 CHECK (not_revoked >= 0),
    held integer NOT NULL DEFAULT 0 CHECK (held >= 0),
    expired integer NOT NULL DEFAULT 0 CHECK (expired >= 0),
    unknown integer NOT NULL DEFAULT 0 CHECK (unknown >= 0),
    withdrawn integer NOT NULL DEFAULT 0 CHECK (withdrawn >= 0),
    doubt integer NOT NULL DEFAULT 0 CHECK (doubt >= 0),
    needs_person integer NOT NULL DEFAULT 0 CHECK (needs_person >= 0),
    canary_open integer NOT NULL DEFAULT 0 CHECK (canary_open >= 0),
    PRIMARY KEY (campaign, page),
    CHECK (length(states) = used AND length(needs) = used),
    CHECK (revoked + pending_publication + not_revoked + held + expired + unknown + withdrawn = used),
    CHECK (doubt + needs_person <= not_revoked)
) WITH (fillfactor = 50);

CREATE TABLE plan (
    campaign integer NOT NULL,
    plan integer NOT NULL,
    cohort integer NOT NULL,
    at bigint NOT NULL,
    author text NOT NULL,
    sha256 bytea NOT NULL,
    text text NOT NULL,
    summary text NOT NULL,
    PRIMARY KEY (campaign, plan)
);

-- What is dealt is written once; state, owner, epoch and claimed_at are the lease. ready: may have work; claimed;
-- idle: live, nothing to do now (held, unknown, needs a person); done: all settled; closed: by a replan.
CREATE TABLE chunk (
    campaign integer NOT NULL,
    chunk integer NOT NULL,
    plan integer NOT NULL,
    cohort integer NOT NULL,
    ca smallint NOT NULL,
    issuer integer NOT NULL,
    canary boolean NOT NULL,
    slot_start bigint NOT NULL,
    due_at bigint NOT NULL,
    numbers integer[] NOT NULL CHECK (cardinality(numbers) BETWEEN 1 AND 1000),
    state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'claimed', 'idle', 'done', 'closed')),
    owner integer,
    epoch integer NOT NULL DEFAULT 0,
    claimed_at bigint,
    PRIMARY KEY (campaign, chunk),
    CHECK ((state = 'claimed') = (owner IS NOT NULL))
);
CREATE INDEX chunk_open ON chunk (campaign, due_at, chunk) WHERE state IN ('ready', 'claimed');

CREATE TABLE request (
    campaign integer NOT NULL,
    request integer NOT NULL,
    what text NOT NULL CHECK (what IN ('plan', 'hold', 'release')),
    cohort integer NOT NULL,
    plan integer,
    hold integer,
    at bigint NOT NULL,
    expires_at bigint NOT NULL,
    requesters text[] NOT NULL,
    text text NOT NULL,
    void_reason text NOT NULL DEFAULT '',
    PRIMARY KEY (campaign, request)
);

CREATE TABLE approval (
    campaign integer NOT NULL,
    request integer NOT NULL,
    approver text NOT NULL,
    at bigint NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (campaign, request, approver)
);

CREATE TABLE hold (
    campaign integer NOT NULL,
    hold integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('court', 'delay')),
    document text NOT NULL,
    sha256 bytea,
    until_at bigint,
    author text NOT NULL,
    at bigint NOT NULL,
    active boolean NOT NULL,
    ended_at bigint,
    PRIMARY KEY (campaign, hold)
);

CREATE TABLE hold_item (
    campaign integer NOT NULL,
    hold integer NOT NULL,
    issuer integer NOT NULL,
    serial bytea NOT NULL,
    released boolean NOT NULL DEFAULT false,
    PRIMARY KEY (campaign, hold, issuer, serial)
);

-- Facts. Each row belongs to exactly one event (seq), whose leaf carries the digest of the row's text.
CREATE TABLE event (
    campaign integer NOT NULL,
    seq bigint NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    type text NOT NULL,
    leaf text NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (campaign, seq)
);

CREATE TABLE change (
    campaign integer NOT NULL,
    seq bigint NOT NULL,
    step smallint NOT NULL,
    page integer NOT NULL,
    offsets smallint[] NOT NULL,
    events bytea NOT NULL,
    befores bytea NOT NULL,
    afters bytea NOT NULL,
    PRIMARY KEY (campaign, page, seq, step)
);
CREATE INDEX change_seq ON change (campaign, seq);

CREATE TABLE result (
    campaign integer NOT NULL,
    seq bigint NOT NULL,
    page integer NOT NULL,
    plan integer NOT NULL,
    chunk integer NOT NULL,
    epoch integer NOT NULL,
    offsets smallint[] NOT NULL,
    outcomes bytea NOT NULL,
    ca_at bigint[] NOT NULL,
    ca_reasons smallint[] NOT NULL,
    PRIMARY KEY (campaign, page, seq, chunk, epoch)
);
CREATE INDEX result_seq ON result (campaign, seq);

-- Fetched bytes by hash, in parts of at most 1 MB (CRLs reach 600 MB).
CREATE TABLE object_part (
    sha256 bytea NOT NULL,
    part integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (sha256, part)
);

CREATE TABLE object (
    campaign integer NOT NULL,
    object integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('crl', 'ocsp')),
    url text NOT NULL,
    issuer integer NOT NULL,
    number integer,
    sha256 bytea NOT NULL,
    fetched_at bigint NOT NULL,
    counts boolean NOT NULL,
    crl_number bytea,
    this_update bigint,
    next_update bigint,
    findings text NOT NULL,
    PRIMARY KEY (campaign, object)
);
CREATE INDEX object_pointer ON object (campaign, kind, url, number) WHERE counts;

CREATE TABLE sighting (
    campaign integer NOT NULL,
    seq bigint NOT NULL,
    page integer NOT NULL,
    object integer NOT NULL,
    seen bytea NOT NULL,
    missing bytea NOT NULL,
    PRIMARY KEY (campaign, page, seq, object)
);
CREATE INDEX sighting_seq ON sighting (campaign, seq);

CREATE TABLE notice (
    campaign integer NOT NULL,
    notice integer NOT NULL,
    cohort integer NOT NULL,
    subscriber text NOT NULL,
    contact bigint NOT NULL,
    kind text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (campaign, notice),
    UNIQUE (campaign, cohort, contact, kind)
);

CREATE TABLE notice_try (
    campaign integer NOT NULL,
    seq bigint NOT NULL,
    notice integer NOT NULL,
    attempt integer NOT NULL,
    outcome text NOT NULL,
    at bigint NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (campaign, notice, attempt)
);
CREATE INDEX notice_try_seq ON notice_try (campaign, seq);

CREATE TABLE ack (
    campaign integer NOT NULL,
    subscriber text NOT NULL,
    at bigint NOT NULL,
    author text NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (campaign, subscriber)
);

-- Engines of every campaign; seen_at is the database server's own clock (liveness, never campaign time).
CREATE TABLE engine (
    engine integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign integer NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    backend_pid integer NOT NULL,
    kind text NOT NULL,
    started_at bigint NOT NULL,
    seen_at timestamptz NOT NULL,
    campaign_seen_at bigint NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'facts are append-only: % on % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'MR001';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON result
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sighting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON notice_try
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
