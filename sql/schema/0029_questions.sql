-- Questions about the status of certificates, where a CA counts them among its requests: noted before they leave, per
-- second, so that an engine which comes to the CA counts what others, dead ones too, have asked (recent_sends). What the
-- answers were stands elsewhere, or nowhere.
CREATE TABLE question (
    ca text NOT NULL,
    at bigint NOT NULL,
    engine integer NOT NULL,
    asked bigint NOT NULL CHECK (asked > 0),
    PRIMARY KEY (ca, at, engine)
);

-- The role of engines that only execute (sql/role/executor.sql), where somebody has made it.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'massrevoke_executor') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON question TO massrevoke_executor;
    END IF;
END $$;
