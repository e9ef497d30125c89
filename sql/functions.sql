-- Everything that can be created again at any time: the rules as functions, and the triggers' bodies.
--
-- None of it depends on a column of the application's tables: no view, no trigger with a WHEN clause or a column
-- list, no SQL-standard function body. PostgreSQL would otherwise refuse the application's own ALTER TABLE. Functions
-- that read those tables keep the search_path of the migration, so they find them wherever the application has them.

-- What qualifies: the one predicate. A bound that is NULL is no bound; NULL figures count as 0; NaN and infinities
-- never qualify. Written so that it is inlined, and so that an index on the coalesced columns can serve it.
CREATE OR REPLACE FUNCTION pattern_sync.qualifies(
    confidence double precision, occurrences bigint, savings numeric, pattern_type text,
    min_confidence double precision, min_occurrences bigint, min_savings numeric,
    only_types text[], exclude_types text[]
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(savings, 0) >= coalesce(min_savings, '-Infinity')
       AND coalesce(savings, 0) > '-Infinity' AND coalesce(savings, 0) < 'Infinity'
       AND coalesce(confidence, 0) >= coalesce(min_confidence, '-Infinity')
       AND coalesce(confidence, 0) > '-Infinity' AND coalesce(confidence, 0) < 'Infinity'
       AND coalesce(occurrences, 0) >= coalesce(min_occurrences, coalesce(occurrences, 0))
       AND (only_types = '{}' OR coalesce(pattern_type, '') = ANY (only_types))
       AND coalesce(pattern_type, '') <> ALL (exclude_types)
$$;

-- Whether a machine may still queue the pattern: what somebody has taken further is theirs.
CREATE OR REPLACE FUNCTION pattern_sync.eligible(automation_status text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(automation_status, 'detected') = 'detected'
$$;

-- A figure that every column of the queue can hold: what is NULL, not finite or absurd becomes 0.
CREATE OR REPLACE FUNCTION pattern_sync.figure(value numeric)
RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value > -1e30 AND value < 1e30 THEN round(value, 6) ELSE 0 END
$$;

-- The order of the queue: confidence (0 to 1) x occurrences x monthly savings. What is not finite or absurd counts as
-- 0: an overflow of DOUBLE PRECISION is an error, and one absurd row would stop the whole sweep.
CREATE OR REPLACE FUNCTION pattern_sync.impact(confidence double precision, occurrences bigint, savings numeric)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN confidence > -1e30 AND confidence < 1e30 THEN confidence / 100 ELSE 0 END
         * coalesce(occurrences, 0)
         * CASE WHEN savings > -1e30 AND savings < 1e30 THEN savings::double precision ELSE 0 END
$$;

-- The three figures of an entry, as a column of this application's queue would hold them: each goes through a variable
-- of the column's very type and scale. Compared as they are, a REAL never equals its source, and every look would write
-- the entry again. PL/pgSQL, because a variable keeps the scale, and the function does not depend on the column.
CREATE OR REPLACE FUNCTION pattern_sync.entry_confidence(confidence double precision)
RETURNS double precision LANGUAGE plpgsql STABLE AS $$
DECLARE
    held pattern_approvals.confidence_score%TYPE := pattern_sync.figure(confidence::numeric / 100);
BEGIN
    RETURN held;
END $$;

CREATE OR REPLACE FUNCTION pattern_sync.entry_occurrences(occurrences bigint)
RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT greatest(least(coalesce(occurrences, 0), 2147483647), -2147483648)::integer
$$;

CREATE OR REPLACE FUNCTION pattern_sync.entry_savings(savings numeric)
RETURNS double precision LANGUAGE plpgsql STABLE AS $$
DECLARE
    held pattern_approvals.estimated_savings_usd%TYPE := pattern_sync.figure(savings);
BEGIN
    RETURN held;
END $$;

-- Send the daemons a payload: pattern ids, '*' for "look at everything" or 'settings'. A full notification queue would
-- fail the commit of whoever notifies, so it is left alone while it is half full; the sweep finds what was not said.
CREATE OR REPLACE FUNCTION pattern_sync.notify(payload text)
RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pg_notify('pattern_sync', payload) WHERE pg_notification_queue_usage() < 0.5
$$;

-- Announce one pattern that qualifies, unless the queue has it. From the 301st of a transaction on they become one
-- "look at everything". With the owner's rights, as a detector need not be able to read the queue; with a lock_timeout,
-- as an ALTER TABLE of the queue must not hold up a detector.
CREATE OR REPLACE FUNCTION pattern_sync.announce_pattern(id bigint, signature text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '100ms' AS $$
DECLARE
    announced integer := coalesce(nullif(current_setting('pattern_sync.announced', true), ''), '0')::integer;
BEGIN
    IF announced > 300 THEN -- by itself: an expression that names the queue takes its lock, whatever it comes to
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id = signature) THEN
        RETURN;
    END IF;
    PERFORM set_config('pattern_sync.announced', (announced + 1)::text, true);
    PERFORM pattern_sync.notify(CASE WHEN announced < 300 THEN id::text ELSE '*' END);
EXCEPTION WHEN lock_not_available THEN
    PERFORM set_config('pattern_sync.announced', '301', true); -- wait once, not for every row
    PERFORM pattern_sync.notify('*');
END $$;

-- Body of the trigger on the patterns. It runs inside the detector's transaction, for every row: whatever goes wrong
-- in here is swallowed and left to the sweep, and a row that does not matter costs about five microseconds. A row
-- trigger, because that is a quarter of what a transition table costs an UPDATE of one row, and because PostgreSQL
-- gives it to every partition, today's and tomorrow's.
CREATE OR REPLACE FUNCTION pattern_sync.announce()
RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    filter record; -- of no named type: where that is missing, PostgreSQL would refuse the detector's statement
BEGIN
    SELECT * INTO filter FROM pattern_sync.settings;
    IF NOT pattern_sync.eligible(NEW.automation_status) OR NOT pattern_sync.qualifies(
        NEW.confidence_score, NEW.occurrence_count, NEW.potential_monthly_savings::numeric, NEW.pattern_type,
        filter.min_confidence, filter.min_occurrences, filter.min_savings, filter.only_types, filter.exclude_types
    ) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.pattern_signature = NEW.pattern_signature
        AND pattern_sync.eligible(OLD.automation_status) AND pattern_sync.qualifies(
            OLD.confidence_score, OLD.occurrence_count, OLD.potential_monthly_savings::numeric, OLD.pattern_type,
            filter.min_confidence, filter.min_occurrences, filter.min_savings, filter.only_types, filter.exclude_types
        )
    THEN
        RETURN NULL; -- announced when it came to qualify; a busy pattern is not announced with every observation
    END IF;
    PERFORM pattern_sync.announce_pattern(NEW.id, NEW.pattern_signature);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'pattern_sync: a pattern was not announced and is left to the sweep: %', SQLERRM;
    RETURN NULL;
END $$;

-- A change of the filter: every daemon reads it anew and looks at everything.
CREATE OR REPLACE FUNCTION pattern_sync.announce_settings()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pattern_sync.notify('settings');
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER announce_settings AFTER UPDATE ON pattern_sync.settings
    FOR EACH ROW EXECUTE FUNCTION pattern_sync.announce_settings();

-- Ask for another look at everything.
CREATE OR REPLACE FUNCTION pattern_sync.request()
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT pattern_sync.notify('*')
$$;

-- Ask for another look at one pattern; false where there is no such pattern.
CREATE OR REPLACE FUNCTION pattern_sync.request(signature text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    found_id bigint;
BEGIN
    SELECT p.id INTO found_id FROM operation_patterns AS p WHERE p.pattern_signature = signature;
    IF found_id IS NULL THEN
        RETURN false;
    END IF;
    PERFORM pattern_sync.notify(found_id::text);
    RETURN true;
END $$;

-- The tables that lack the trigger: operation_patterns, and children that inherit from it. Partitions get theirs from
-- PostgreSQL together with the parent's.
CREATE OR REPLACE FUNCTION pattern_sync.tables_without_trigger()
RETURNS SETOF regclass LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    WITH RECURSIVE family AS (
        SELECT c.oid, c.relispartition FROM pg_class AS c WHERE c.oid = 'operation_patterns'::regclass
        UNION
        SELECT c.oid, c.relispartition
        FROM family JOIN pg_inherits AS i ON i.inhparent = family.oid JOIN pg_class AS c ON c.oid = i.inhrelid
    )
    SELECT family.oid::regclass
    FROM family
    WHERE NOT family.relispartition
      AND NOT EXISTS (
          SELECT FROM pg_trigger AS t WHERE t.tgrelid = family.oid AND t.tgfoid = 'pattern_sync.announce'::regproc
      )
    ORDER BY family.oid
$$;

-- Give one table the trigger. To be called only where it is missing: CREATE TRIGGER waits for the writers of the
-- moment and holds up those that come after.
CREATE OR REPLACE FUNCTION pattern_sync.install_trigger(relation regclass)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER pattern_sync_announce AFTER INSERT OR UPDATE ON %s '
        'FOR EACH ROW EXECUTE FUNCTION pattern_sync.announce()',
        relation
    );
END $$;

GRANT USAGE ON SCHEMA pattern_sync TO PUBLIC;
GRANT SELECT ON pattern_sync.settings TO PUBLIC; -- the trigger reads it with the detector's rights
REVOKE EXECUTE ON FUNCTION pattern_sync.install_trigger(regclass) FROM PUBLIC;
