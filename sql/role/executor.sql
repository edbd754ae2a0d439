-- The role of engines that only execute (massrevoke run --only execute) and may not read whom the campaign tells: nothing
-- of contacts, notices, their tries and acknowledgements. Made by the owner of the database, as often as wanted (again
-- after an update), with psql and the schema's own search path:
--
--   psql "$CONNINFO" -v ON_ERROR_STOP=1 -c 'SET search_path TO massrevoke' -f executor.sql
--   CREATE ROLE engine2 LOGIN IN ROLE massrevoke_executor;     -- and db.conninfo of that host names engine2
--
-- It can't approve either, and changes neither lists of contacts nor the inventory.
DO $$
DECLARE
    hidden CONSTANT text[] := '{contact,notice,notice_try,ack}';
    fixed CONSTANT text[] := '{approval,inventory,meta,migration,request_item,stamp,task}';
    t record; schema_name text := current_schema();
BEGIN
    IF to_regclass('campaign') IS NULL THEN
        RAISE EXCEPTION 'schema % holds no massrevoke: SET search_path first', schema_name;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'massrevoke_executor') THEN
        CREATE ROLE massrevoke_executor NOLOGIN;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO massrevoke_executor', schema_name);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM massrevoke_executor', schema_name);
    FOR t IN SELECT c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = schema_name AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
                AND NOT c.relname = ANY (hidden) ORDER BY c.relname
    LOOP
        EXECUTE format('GRANT SELECT ON %I TO massrevoke_executor', t.relname);
        IF t.relkind <> 'v' AND NOT t.relname = ANY (fixed) THEN
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO massrevoke_executor', t.relname);
        END IF;
    END LOOP;
END $$;
