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
    SELECT CASE WHEN confidence > -1e30 AND confidence < 1e30 THEN confidence ELSE 0 END
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

-- A time that every calendar can hold: BC, the years from 10000 on and infinity become NULL.
CREATE OR REPLACE FUNCTION pattern_sync.moment(value timestamptz)
RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value >= '0001-01-02 00:00+00' AND value < '9999-12-31 00:00+00' THEN value END
$$;

-- Send a payload on a channel of ours. A full notification queue would fail the commit of whoever notifies, so it is
-- left alone while it is half full; the sweep finds what was not said.
CREATE OR REPLACE FUNCTION pattern_sync.send(channel text, payload text)
RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pg_notify(channel, payload) WHERE pg_notification_queue_usage() < 0.5
$$;

-- Send the daemons a hint about the patterns: a row id, '*' for "look at everything" or 'settings'.
CREATE OR REPLACE FUNCTION pattern_sync.notify(payload text)
RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pattern_sync.send('pattern_sync', payload)
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

-- Tell the review pages that entries were changed, 50 to a payload; more than 1,000 become one "everything", and so do
-- names that are too long for a payload, which would be an error.
CREATE OR REPLACE FUNCTION pattern_sync.tell_changes(change text, pattern_ids text[])
RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pattern_sync.send('pattern_sync_queue', CASE WHEN octet_length(told.payload) < 7900 THEN told.payload ELSE '*' END)
    FROM (
        SELECT jsonb_build_object(change, jsonb_agg(listed.pattern_id))::text AS payload
        FROM unnest(pattern_ids) WITH ORDINALITY AS listed (pattern_id, position)
        WHERE cardinality(pattern_ids) <= 1000
        GROUP BY (listed.position - 1) / 50
        UNION ALL
        SELECT '*' WHERE cardinality(pattern_ids) > 1000
    ) AS told
$$;

-- Body of the triggers on the queue and on its history: tell the review pages what was changed, whoever changed it. A
-- statement trigger with a transition table, as a bulk change must not pay for each row. Like the other one it never
-- fails its statement.
CREATE OR REPLACE FUNCTION pattern_sync.announce_entries()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM pattern_sync.send('pattern_sync_queue', '*');
        RETURN NULL;
    END IF;
    IF (SELECT count(*) FROM (SELECT FROM changed LIMIT 1001) AS first) > 1000 THEN
        PERFORM pattern_sync.send('pattern_sync_queue', '*');
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN -- an entry that was given another name is no more under its old one
        PERFORM pattern_sync.tell_changes('removed', array_agg(b.pattern_id))
        FROM before AS b
        WHERE NOT EXISTS (SELECT FROM changed AS c WHERE c.pattern_id = b.pattern_id)
        HAVING count(*) > 0;
    END IF;
    PERFORM pattern_sync.tell_changes(listed.change, array_agg(listed.pattern_id))
    FROM (
        SELECT
            first.item ->> 'pattern_id' AS pattern_id,
            CASE
                WHEN TG_OP = 'DELETE' THEN 'removed'
                WHEN first.item ->> 'status' = 'pending' THEN CASE TG_OP WHEN 'INSERT' THEN 'queued' ELSE 'refreshed' END
                WHEN first.item ->> 'action' IN ('commented', 'flagged') THEN 'commented'
                ELSE 'decided'
            END AS change
        FROM (SELECT to_jsonb(changed) AS item FROM changed) AS first
    ) AS listed
    GROUP BY listed.change;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'pattern_sync: a change of the queue was not announced: %', SQLERRM;
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

-- A person's decision, its history and the mark on the pattern, in one transaction. False, with nothing written, where
-- no entry has the status that it replaces: somebody was faster, or there is no entry. An application whose CHECK
-- refuses the status on its patterns gets the rest of the mark.
--
-- It waits for a lock for less than a deadlock_timeout (1 s): where it and an application's transaction wait for each
-- other it is this one that is given up, and tried again. The search_path is the session's: an application's own
-- triggers on these tables run as they do for every other statement.
CREATE OR REPLACE FUNCTION pattern_sync.decide(
    signature text, decision text, reviewer text, notes text, replaces text
) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '800ms' AS $$
BEGIN -- every parameter by its full name: an application's own columns may be called the same
    UPDATE pattern_approvals AS a
    SET
        status = decide.decision,
        reviewed_by = decide.reviewer,
        reviewed_at = now(),
        approval_notes = decide.notes
    WHERE a.pattern_id = decide.signature AND a.status = decide.replaces;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO pattern_review_history (pattern_id, action, reviewer, notes)
    VALUES (decide.signature, decide.decision, decide.reviewer, decide.notes);
    -- Last, as the detector's next observation waits for this lock.
    BEGIN
        UPDATE operation_patterns AS p
        SET
            automation_status = decide.decision,
            reviewed_by = decide.reviewer,
            reviewed_at = now(),
            review_notes = decide.notes
        WHERE p.pattern_signature = decide.signature;
    EXCEPTION WHEN check_violation THEN
        UPDATE operation_patterns AS p
        SET
            -- What is rejected must not go on looking approved.
            automation_status = CASE p.automation_status WHEN 'approved' THEN 'detected' ELSE p.automation_status END,
            reviewed_by = decide.reviewer,
            reviewed_at = now(),
            review_notes = decide.notes
        WHERE p.pattern_signature = decide.signature;
    END;
    RETURN true;
END $$;

-- The triggers that are missing, each with the statement that creates it: on operation_patterns and on children that
-- inherit from it (partitions get theirs from PostgreSQL together with the parent's), on the queue and on its history.
CREATE OR REPLACE FUNCTION pattern_sync.missing_triggers()
RETURNS TABLE (relation regclass, definition text) LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    WITH RECURSIVE family AS (
        SELECT c.oid, c.relispartition FROM pg_class AS c WHERE c.oid = 'operation_patterns'::regclass
        UNION
        SELECT c.oid, c.relispartition
        FROM family JOIN pg_inherits AS i ON i.inhparent = family.oid JOIN pg_class AS c ON c.oid = i.inhrelid
    ),
    wanted AS (
        SELECT
            family.oid AS relation,
            'pattern_sync_announce' AS name,
            'AFTER INSERT OR UPDATE' AS event,
            'FOR EACH ROW EXECUTE FUNCTION pattern_sync.announce()' AS action
        FROM family
        WHERE NOT family.relispartition
        UNION ALL
        SELECT
            queue.relation::regclass::oid,
            queue.name,
            queue.event,
            -- A reconcile tells what it has written when it is committed: between a commit and its entry it would cost a
            -- tenth of the way.
            queue.referencing || ' FOR EACH STATEMENT '
                'WHEN (current_setting(''pattern_sync.announced_later'', true) IS DISTINCT FROM ''on'') '
                'EXECUTE FUNCTION pattern_sync.announce_entries()'
        FROM (
            VALUES
                ('pattern_approvals', 'pattern_sync_inserted', 'AFTER INSERT', 'REFERENCING NEW TABLE AS changed'),
                ('pattern_approvals', 'pattern_sync_updated', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS before NEW TABLE AS changed'),
                ('pattern_approvals', 'pattern_sync_deleted', 'AFTER DELETE', 'REFERENCING OLD TABLE AS changed'),
                ('pattern_approvals', 'pattern_sync_truncated', 'AFTER TRUNCATE', ''),
                ('pattern_review_history', 'pattern_sync_inserted', 'AFTER INSERT', 'REFERENCING NEW TABLE AS changed')
        ) AS queue (relation, name, event, referencing)
    )
    SELECT
        wanted.relation::regclass,
        format('CREATE TRIGGER %I %s ON %s %s', wanted.name, wanted.event, wanted.relation::regclass, wanted.action)
    FROM wanted
    WHERE NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = wanted.relation AND t.tgname = wanted.name)
    ORDER BY wanted.relation, wanted.name
$$;

-- The tables that lack a trigger.
CREATE OR REPLACE FUNCTION pattern_sync.tables_without_trigger()
RETURNS SETOF regclass LANGUAGE sql STABLE AS $$
    SELECT DISTINCT missing.relation FROM pattern_sync.missing_triggers() AS missing ORDER BY missing.relation
$$;

-- Give one table the triggers that it lacks. To be called only where one is missing: CREATE TRIGGER waits for the
-- writers of the moment and holds up those that come after.
CREATE OR REPLACE FUNCTION pattern_sync.install_trigger(relation regclass)
RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    missing record;
BEGIN
    FOR missing IN
        SELECT m.definition FROM pattern_sync.missing_triggers() AS m WHERE m.relation = install_trigger.relation
    LOOP
        EXECUTE missing.definition;
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA pattern_sync TO PUBLIC;
GRANT SELECT ON pattern_sync.settings TO PUBLIC; -- the trigger reads it with the detector's rights
REVOKE EXECUTE ON FUNCTION pattern_sync.install_trigger(regclass) FROM PUBLIC;
