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

-- What keeps changes from being told, a row each: the table and what is wrong in words; who hears nothing meanwhile
-- ('patterns': the daemons, 'pages': the review pages, NULL: nobody misses anything); and the SQL that mends it, NULL
-- where only creating the functions again helps. Asked every few seconds, and never an error, whatever is missing.
--
-- Wanted are: on operation_patterns and on children that inherit from it (partitions get theirs from PostgreSQL together
-- with the parent's) a row trigger; on the queue and on its history, statement triggers. Each fires ALWAYS, so also for
-- what a replica, or a session in the role of one, writes. The table is the one that the name means now: one that was
-- created anew or swapped in has no trigger, and the one that was swapped out still has ours.
CREATE OR REPLACE FUNCTION pattern_sync.trigger_faults()
RETURNS TABLE (relation regclass, fault text, silenced text, mending text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
    patterns oid := pg_catalog.to_regclass('operation_patterns')::oid;
    settings oid := pg_catalog.to_regclass('pattern_sync.settings')::oid;
    announce oid := pg_catalog.to_regprocedure('pattern_sync.announce()')::oid;
    announce_entries oid := pg_catalog.to_regprocedure('pattern_sync.announce_entries()')::oid;
    owner oid := (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = patterns);
BEGIN
    RETURN QUERY
    WITH RECURSIVE wanted (table_name, trigger_name, event, type, old_rows, new_rows, silenced) AS (
        -- The type is pg_trigger's bit mask: 1 row, 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE.
        VALUES
            ('operation_patterns', 'pattern_sync_announce', 'INSERT OR UPDATE', 21, NULL, NULL, 'patterns'),
            ('pattern_approvals', 'pattern_sync_inserted', 'INSERT', 4, NULL, 'changed', 'pages'),
            ('pattern_approvals', 'pattern_sync_updated', 'UPDATE', 16, 'before', 'changed', 'pages'),
            ('pattern_approvals', 'pattern_sync_deleted', 'DELETE', 8, 'changed', NULL, 'pages'),
            ('pattern_approvals', 'pattern_sync_truncated', 'TRUNCATE', 32, NULL, NULL, 'pages'),
            ('pattern_review_history', 'pattern_sync_inserted', 'INSERT', 4, NULL, 'changed', 'pages')
    ),
    family (relation, is_partition) AS (
        SELECT patterns, false
        UNION
        SELECT c.oid, c.relispartition
        FROM family
        JOIN pg_catalog.pg_inherits AS i ON i.inhparent = family.relation
        JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
    ),
    target AS (
        SELECT w.*, f.relation, f.is_partition, announce AS function, NULL::text AS condition
        FROM wanted AS w
        JOIN family AS f ON w.table_name = 'operation_patterns'::text
        UNION ALL
        -- A reconcile tells what it has written when it is committed: between a commit and its entry it would cost a
        -- tenth of the way.
        SELECT w.*, pg_catalog.to_regclass(w.table_name)::oid, false, announce_entries, 'pattern_sync.announced_later'
        FROM wanted AS w
        WHERE w.table_name <> 'operation_patterns'::text
    ),
    seen AS (
        SELECT
            target.*,
            t.oid AS trigger_id,
            t.tgparentid AS parent_id,
            CASE
                WHEN c.oid IS NULL THEN 'there is no table %2$s'
                WHEN c.relkind::text <> ALL (ARRAY['r', 'p']::text[]) THEN '%s is no table'
                WHEN t.oid IS NULL THEN CASE
                    WHEN NOT target.is_partition OR EXISTS (
                        SELECT
                        FROM pg_catalog.pg_trigger AS parent
                        WHERE parent.tgrelid = patterns AND parent.tgname::text = target.trigger_name
                    ) THEN 'the trigger on %s is missing (%s)'
                END
                WHEN t.tgfoid <> target.function THEN 'the trigger on %s calls another function (%s)'
                WHEN t.tgtype::integer <> target.type
                    OR pg_catalog.octet_length(t.tgattr::text) > 0
                    OR coalesce(t.tgoldtable::text, '') <> coalesce(target.old_rows, '')
                    OR coalesce(t.tgnewtable::text, '') <> coalesce(target.new_rows, '')
                    OR (t.tgqual IS NULL) <> (target.condition IS NULL)
                    OR pg_catalog.strpos(pg_catalog.pg_get_triggerdef(t.oid), target.condition) = 0
                    THEN 'the trigger on %s was changed (%s)'
                WHEN t.tgenabled::text = 'D'::text THEN 'the trigger on %s is disabled (%s)'
                WHEN t.tgenabled::text <> 'A'::text THEN 'the trigger on %s does not fire for replicated writes (%s)'
            END AS fault
        FROM target
        LEFT JOIN pg_catalog.pg_class AS c ON c.oid = target.relation
        LEFT JOIN pg_catalog.pg_trigger AS t
            ON t.tgrelid = target.relation AND t.tgname::text = target.trigger_name
    ),
    faulty AS (
        SELECT
            seen.relation,
            seen.table_name,
            seen.trigger_name,
            seen.fault,
            seen.silenced,
            CASE
                WHEN seen.function IS NULL OR seen.fault IN ('there is no table %2$s', '%s is no table') THEN NULL
                ELSE pg_catalog.concat(
                    CASE WHEN NOT enabling.enough THEN pg_catalog.concat(
                        CASE WHEN seen.trigger_id IS NOT NULL THEN
                            pg_catalog.format('DROP TRIGGER %I ON %s; ', seen.trigger_name, seen.relation::regclass)
                        -- A partition that had a trigger of its own before it was attached.
                        WHEN seen.relation = patterns THEN (
                            SELECT pg_catalog.string_agg(
                                pg_catalog.format('DROP TRIGGER %I ON %s; ', p.trigger_name, p.relation::regclass), '')
                            FROM seen AS p
                            WHERE p.is_partition AND p.trigger_id IS NOT NULL AND p.parent_id = 0::oid
                        ) END,
                        pg_catalog.format(
                            'CREATE TRIGGER %I AFTER %s ON %s %s FOR EACH %s; ',
                            seen.trigger_name,
                            seen.event,
                            seen.relation::regclass,
                            nullif(
                                pg_catalog.concat(
                                    'REFERENCING',
                                    ' OLD TABLE AS ' || seen.old_rows,
                                    ' NEW TABLE AS ' || seen.new_rows
                                ),
                                'REFERENCING'
                            ),
                            CASE
                                WHEN seen.condition IS NULL
                                    THEN 'ROW EXECUTE FUNCTION pattern_sync.announce()'
                                ELSE pg_catalog.format(
                                    'STATEMENT WHEN (pg_catalog.current_setting(%L, true) IS DISTINCT FROM ''on'')'
                                    ' EXECUTE FUNCTION pattern_sync.announce_entries()',
                                    seen.condition
                                )
                            END
                        )
                    ) END,
                    pg_catalog.format(
                        'ALTER TABLE %s ENABLE ALWAYS TRIGGER %I; ', seen.relation::regclass, seen.trigger_name)
                )
            END AS mending
        FROM seen
        CROSS JOIN LATERAL (
            SELECT seen.fault IN (
                'the trigger on %s is disabled (%s)', 'the trigger on %s does not fire for replicated writes (%s)'
            ) AS enough
        ) AS enabling
        WHERE seen.fault IS NOT NULL
    )
    SELECT
        f.relation::regclass,
        pg_catalog.format(
            f.fault,
            coalesce(f.relation::regclass::text, f.table_name),
            CASE WHEN f.relation IS NULL THEN f.table_name
            ELSE pg_catalog.string_agg(f.trigger_name, ', ' ORDER BY f.trigger_name) END
        ),
        f.silenced,
        pg_catalog.string_agg(f.mending, '' ORDER BY f.trigger_name)
    FROM faulty AS f
    GROUP BY f.relation, f.table_name, f.fault, f.silenced
    UNION ALL
    SELECT
        NULL::regclass,
        pg_catalog.format('the function pattern_sync.%s() is missing', needed.name),
        needed.silenced,
        NULL
    FROM (
        VALUES ('announce', announce, 'patterns'), ('announce_entries', announce_entries, 'pages')
    ) AS needed (name, function, silenced)
    WHERE needed.function IS NULL
    UNION ALL
    -- Triggers of ours where none should be. Only on tables of the same owner: anybody may create a trigger that calls
    -- our functions on a table of their own, and it is no business of ours.
    SELECT
        c.oid::regclass,
        pg_catalog.format('%s has a trigger of Pattern Sync that is not wanted there (%s)', c.oid::regclass, t.tgname),
        NULL,
        pg_catalog.format('DROP TRIGGER %I ON %s; ', t.tgname, c.oid::regclass)
    FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_trigger AS t ON t.oid = d.objid
    JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
    WHERE d.refclassid = 'pg_catalog.pg_proc'::regclass::oid
      AND d.refobjid IN (announce, announce_entries)
      AND d.classid = 'pg_catalog.pg_trigger'::regclass::oid
      AND t.tgparentid = 0::oid
      AND c.relowner = owner
      AND NOT EXISTS (
          SELECT FROM seen WHERE seen.relation = t.tgrelid AND seen.trigger_name = t.tgname::text
      )
    UNION ALL
    -- The trigger's body runs with the writer's rights.
    SELECT
        patterns::regclass,
        pg_catalog.format(
            '%s may write %s and may not use the schema pattern_sync',
            pg_catalog.string_agg(writer.name, ', ' ORDER BY writer.name),
            patterns::regclass
        ),
        'patterns',
        pg_catalog.string_agg(
            pg_catalog.format('GRANT USAGE ON SCHEMA pattern_sync TO %s; ', writer.name), '' ORDER BY writer.name)
    FROM (
        SELECT DISTINCT CASE granted.grantee
            WHEN 0::oid THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(granted.grantee)::text)
        END AS name
        FROM (
            SELECT coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner)) AS rights
            FROM pg_catalog.pg_class AS c
            WHERE c.oid = patterns
            UNION ALL
            SELECT a.attacl FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = patterns AND a.attacl IS NOT NULL
        ) AS held
        CROSS JOIN LATERAL pg_catalog.aclexplode(held.rights) AS granted
        WHERE granted.privilege_type IN ('INSERT', 'UPDATE')
          AND NOT CASE granted.grantee
              WHEN 0::oid THEN pg_catalog.has_schema_privilege('public', 'pattern_sync', 'USAGE')
              ELSE pg_catalog.has_schema_privilege(granted.grantee, 'pattern_sync', 'USAGE')
          END
    ) AS writer
    HAVING pg_catalog.count(*) > 0::bigint
    UNION ALL
    SELECT
        settings::regclass,
        CASE
            WHEN settings IS NULL THEN 'there is no table pattern_sync.settings'
            WHEN pg_catalog.count(t.oid) = 0::bigint THEN 'the trigger on pattern_sync.settings is missing'
            ELSE 'the trigger on pattern_sync.settings is disabled'
        END,
        'patterns',
        pg_catalog.string_agg(
            CASE WHEN t.oid IS NOT NULL THEN
                pg_catalog.format('ALTER TABLE pattern_sync.settings ENABLE TRIGGER %I; ', t.tgname)
            END,
            ''
        )
    FROM (SELECT) AS always
    LEFT JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = settings AND NOT t.tgisinternal
    HAVING pg_catalog.count(t.oid) FILTER (WHERE t.tgenabled::text IN ('O', 'A'))
        < greatest(pg_catalog.count(t.oid), 1::bigint)
    ORDER BY 1, 2;

    IF settings IS NOT NULL THEN -- apart, as a statement that names a table which is gone is an error
        RETURN QUERY
        SELECT
            settings::regclass,
            'pattern_sync.settings has no row, so there is no filter',
            'patterns',
            'INSERT INTO pattern_sync.settings DEFAULT VALUES; '
        WHERE NOT EXISTS (SELECT FROM pattern_sync.settings);
    END IF;
END $$;

-- The files in which the patterns are. Another answer than before means that rows may have come among them, or may have
-- become others, without any trigger having fired: a partition was attached, a column got another type.
CREATE OR REPLACE FUNCTION pattern_sync.storage()
RETURNS text LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN (
        WITH RECURSIVE family (relation) AS (
            SELECT pg_catalog.to_regclass('operation_patterns')::oid
            UNION
            SELECT i.inhrelid FROM family JOIN pg_catalog.pg_inherits AS i ON i.inhparent = family.relation
        )
        SELECT pg_catalog.md5(
            pg_catalog.string_agg(pg_catalog.concat(c.oid, '/', c.relfilenode), ' ' ORDER BY c.oid))
        FROM family
        JOIN pg_catalog.pg_class AS c ON c.oid = family.relation
    );
END $$;

-- The tables with something that install_trigger mends.
CREATE OR REPLACE FUNCTION pattern_sync.tables_without_trigger()
RETURNS SETOF regclass LANGUAGE sql STABLE AS $$
    SELECT DISTINCT f.relation FROM pattern_sync.trigger_faults() AS f WHERE f.mending IS NOT NULL ORDER BY f.relation
$$;

-- Mend what is wrong with the triggers of one table. The lock waits for the writers of the moment and holds up those that
-- come after, so a table without a fault is not touched; what is wrong is asked again under the lock, as another may have
-- been faster.
CREATE OR REPLACE FUNCTION pattern_sync.install_trigger(relation regclass)
RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    faulty text;
    mending text;
BEGIN
    FOR attempt IN 1..2 LOOP
        SELECT pg_catalog.string_agg(f.fault, '; '), pg_catalog.string_agg(f.mending, '') INTO faulty, mending
        FROM pattern_sync.trigger_faults() AS f
        WHERE f.mending IS NOT NULL AND f.relation::oid = install_trigger.relation::oid;
        IF mending IS NULL THEN
            RETURN;
        END IF;
        IF attempt = 1 THEN
            EXECUTE pg_catalog.format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', install_trigger.relation);
        END IF;
    END LOOP;
    EXECUTE mending;
    SELECT pg_catalog.string_agg(f.fault, '; ') INTO faulty
    FROM pattern_sync.trigger_faults() AS f
    WHERE f.mending IS NOT NULL AND f.relation::oid = install_trigger.relation::oid;
    IF faulty IS NOT NULL THEN -- or whoever calls this until nothing is wrong would never end
        RAISE EXCEPTION 'could not be mended: %', faulty;
    END IF;
END $$;

DROP FUNCTION IF EXISTS pattern_sync.missing_triggers(); -- of version 2

GRANT USAGE ON SCHEMA pattern_sync TO PUBLIC;
GRANT SELECT ON pattern_sync.settings TO PUBLIC; -- the trigger reads it with the detector's rights
REVOKE EXECUTE ON FUNCTION pattern_sync.install_trigger(regclass) FROM PUBLIC;
