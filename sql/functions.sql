-- All objects that can be re-created at any time: the rules as functions, and the bodies of the triggers.
--
-- Nothing here depends on a column of the application's tables: no view, no trigger with a WHEN clause or a column
-- list, no SQL-standard function body. Otherwise PostgreSQL would refuse the application's own ALTER TABLE. Functions
-- that read those tables keep the search_path of the migration, so they find the tables in whatever schema the
-- application uses.

-- Functions of former releases, and functions whose parameters had other names, which CREATE OR REPLACE cannot change.
DROP FUNCTION IF EXISTS pattern_sync.missing_triggers();
DROP FUNCTION IF EXISTS pattern_sync.matters(text, double precision, bigint, numeric, text[], text[]);
DROP FUNCTION IF EXISTS pattern_sync.tell_changes(text, text[]);
DROP FUNCTION IF EXISTS pattern_sync.remember_rejections(text[]);

-- The predicate: the one definition of what qualifies, as SQL text over nine expressions. A NULL bound sets no limit:
-- it is below every finite figure. NULL figures count as 0. NaN (which sorts above infinity) and infinities never
-- qualify. An index on the coalesced columns can serve it.
CREATE OR REPLACE FUNCTION pattern_sync.predicate(
    confidence text, occurrences text, savings text, pattern_type text,
    min_confidence text, min_occurrences text, min_savings text, only_types text, exclude_types text
) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.format(
        $predicate$coalesce(%3$s, 0) >= coalesce(%7$s, '-1e309') AND coalesce(%3$s, 0) < 'Infinity'
       AND coalesce(%1$s, 0) >= coalesce(%5$s, '-1.7976931348623157e308') AND coalesce(%1$s, 0) < 'Infinity'
       AND coalesce(%2$s, 0) >= coalesce(%6$s, coalesce(%2$s, 0))
       AND (pg_catalog.cardinality(%8$s) = 0 OR coalesce(%4$s, '') = ANY (%8$s))
       AND coalesce(%4$s, '') <> ALL (%9$s)$predicate$,
        confidence, occurrences, savings, pattern_type,
        min_confidence, min_occurrences, min_savings, only_types, exclude_types
    )
$$;

-- Whether a machine may still queue the pattern, as SQL text like the predicate. A pattern that somebody has taken
-- further is left to them.
CREATE OR REPLACE FUNCTION pattern_sync.eligibility(automation_status text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.format($status$coalesce(%s, 'detected') = 'detected'$status$, automation_status)
$$;

-- Whether a row of the patterns is to be queued: it is eligible and it qualifies. Returns SQL text over the row's name.
-- This is the only place that maps columns to figures. The criteria are in the predicate's order.
CREATE OR REPLACE FUNCTION pattern_sync.candidacy(row_name text, criteria text[])
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.concat(
        pattern_sync.eligibility(pg_catalog.concat(row_name, '.automation_status::text')),
        ' AND ',
        pattern_sync.predicate(
            pg_catalog.concat(row_name, '.confidence_score::double precision'),
            pg_catalog.concat(row_name, '.occurrence_count::bigint'),
            pg_catalog.concat(row_name, '.potential_monthly_savings::numeric'),
            pg_catalog.concat(row_name, '.pattern_type::text'),
            criteria[1], criteria[2], criteria[3], criteria[4], criteria[5]
        )
    )
$$;

-- The same three rules as functions, written so that they are inlined. The row of a candidate may be of any type, so
-- that no object of ours depends on the application's table.
DO $$
DECLARE
    parameters CONSTANT text := 'min_confidence double precision, min_occurrences bigint, min_savings numeric,'
        ' only_types text[], exclude_types text[]';
    criteria CONSTANT text[] := '{min_confidence,min_occurrences,min_savings,only_types,exclude_types}';
BEGIN
    EXECUTE pg_catalog.format(
        'CREATE OR REPLACE FUNCTION pattern_sync.qualifies('
        ' confidence double precision, occurrences bigint, savings numeric, pattern_type text, %s'
        ') RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L',
        parameters,
        pg_catalog.concat('SELECT ', pattern_sync.predicate(
            'confidence', 'occurrences', 'savings', 'pattern_type',
            criteria[1], criteria[2], criteria[3], criteria[4], criteria[5]
        ))
    );
    EXECUTE pg_catalog.format(
        'CREATE OR REPLACE FUNCTION pattern_sync.eligible(automation_status text)'
        ' RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L',
        pg_catalog.concat('SELECT ', pattern_sync.eligibility('automation_status'))
    );
    EXECUTE pg_catalog.format(
        'CREATE OR REPLACE FUNCTION pattern_sync.is_candidate(pattern anyelement, %s)'
        ' RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS %L',
        parameters,
        pg_catalog.concat('SELECT ', pattern_sync.candidacy('pattern', criteria))
    );
END $$;

COMMENT ON FUNCTION pattern_sync.qualifies(
    double precision, bigint, numeric, text, double precision, bigint, numeric, text[], text[]
) IS 'Whether figures qualify, by pattern_sync.predicate.';
COMMENT ON FUNCTION pattern_sync.eligible(text)
    IS 'Whether a machine may still queue the pattern, by pattern_sync.eligibility.';
COMMENT ON FUNCTION pattern_sync.is_candidate(anyelement, double precision, bigint, numeric, text[], text[])
    IS 'Whether a row of the patterns is to be queued, by pattern_sync.candidacy.';

-- A figure that every column of the queue can hold. NULL, infinities, NaN and absurdly large values become 0.
CREATE OR REPLACE FUNCTION pattern_sync.figure(value numeric)
RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN value > '-1e30'::numeric AND value < '1e30'::numeric THEN pg_catalog.round(value, 6) ELSE 0::numeric
    END
$$;

-- The impact, by which the queue is ordered: confidence (0 to 1) x occurrences x monthly savings. Infinities, NaN and
-- absurdly large values count as 0: DOUBLE PRECISION raises an error on overflow, and one absurd row would stop every
-- sweep.
CREATE OR REPLACE FUNCTION pattern_sync.impact(confidence double precision, occurrences bigint, savings numeric)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
            WHEN confidence > '-1e30'::double precision AND confidence < '1e30'::double precision THEN confidence
            ELSE 0::double precision
        END
        * coalesce(occurrences, 0)::double precision
        * CASE
            WHEN savings > '-1e30'::numeric AND savings < '1e30'::numeric THEN savings::double precision
            ELSE 0::double precision
        END
$$;

-- Occurrences, clamped to the INTEGER of the queue.
CREATE OR REPLACE FUNCTION pattern_sync.entry_occurrences(occurrences bigint)
RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT greatest(least(coalesce(occurrences, 0), 2147483647), -2147483648)::integer
$$;

-- A time that every client can represent: years BC, years from 10000 on and infinity become NULL.
CREATE OR REPLACE FUNCTION pattern_sync.moment(value timestamptz)
RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN value >= '0001-01-02 00:00+00'::timestamptz AND value < '9999-12-31 00:00+00'::timestamptz THEN value
    END
$$;

-- The text itself, or its bytes if it cannot be converted to UTF-8: ASCII unchanged, other bytes escaped as \351.
CREATE OR REPLACE FUNCTION pattern_sync.escaped_where_illegible(value text)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    PERFORM pg_catalog.convert_to(escaped_where_illegible.value, 'UTF8');
    RETURN escaped_where_illegible.value;
EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
    RETURN pg_catalog.encode(
        pg_catalog.convert_to(escaped_where_illegible.value, pg_catalog.getdatabaseencoding()), 'escape'
    );
END $$;

-- The text in a form that every client can read. A SQL_ASCII database stores any bytes, and other encodings have
-- characters that UTF-8 lacks. One such row would turn every answer that contains it into an error.
CREATE OR REPLACE FUNCTION pattern_sync.legible(value text)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN pg_catalog.getdatabaseencoding() = 'UTF8'::name THEN value
        ELSE pattern_sync.escaped_where_illegible(value)
    END
$$;

-- Keep a hint in the table of marks when it cannot be sent by NOTIFY. The daemons read the marks every few seconds.
-- Everybody may call this: it keeps no more than a notification could bring, and only for our channels.
CREATE OR REPLACE FUNCTION pattern_sync.mark(channel text, payload text)
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO pattern_sync.marks (channel, payload)
    SELECT mark.channel, CASE WHEN pg_catalog.octet_length(mark.payload) < 8000 THEN mark.payload ELSE '*' END
    WHERE mark.channel IN ('pattern_sync', 'pattern_sync_queue') AND mark.payload IS NOT NULL
$$;

-- Notify a channel of ours, or leave a mark instead in two cases. A quiet writer (pattern_sync.quiet = on, for a role,
-- a database or a transaction) must not notify, as PostgreSQL refuses PREPARE TRANSACTION after a NOTIFY. No writer may
-- notify while the notification queue is half full, as a full queue would fail the writer's commit.
CREATE OR REPLACE FUNCTION pattern_sync.send(channel text, payload text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF pg_catalog.lower(pg_catalog.current_setting('pattern_sync.quiet', true)) IN ('on', 'true', 'yes', '1')
        OR pg_catalog.pg_notification_queue_usage() >= 0.5::double precision
    THEN
        PERFORM pattern_sync.mark(send.channel, send.payload);
    ELSE
        PERFORM pg_catalog.pg_notify(send.channel, send.payload);
    END IF;
END $$;

-- Notify the daemons about the patterns: a row id, '*' for a scan of all patterns, or 'settings' for a new filter.
CREATE OR REPLACE FUNCTION pattern_sync.notify(payload text)
RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pattern_sync.send('pattern_sync', payload)
$$;

-- Announce a qualifying pattern unless the queue has it. From the 301st in a transaction on, one request for a scan
-- replaces the single announcements. It runs with the owner's rights, as a detector may be unable to read the queue.
-- Its lock_timeout keeps an ALTER TABLE of the queue from blocking a detector.
CREATE OR REPLACE FUNCTION pattern_sync.announce_pattern(id bigint, signature text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '100ms' AS $$
DECLARE
    writer CONSTANT text := pg_catalog.pg_current_xact_id()::text;
    announced integer := 0;
BEGIN
    -- What a session, a role or a database has set is no count of ours.
    IF pg_catalog.current_setting('pattern_sync.announced_by', true) = writer THEN
        announced := pg_catalog.current_setting('pattern_sync.announced', true)::integer;
    ELSE
        PERFORM
            pg_catalog.set_config('pattern_sync.announced_by', writer, true),
            pg_catalog.set_config('pattern_sync.announced', '0', true);
    END IF;
    IF announced > 300 THEN -- apart: an expression that names the queue locks it even if that part is not evaluated
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id::text = announce_pattern.signature) THEN
        RETURN;
    END IF;
    PERFORM pg_catalog.set_config('pattern_sync.announced', (announced + 1)::text, true);
    PERFORM pattern_sync.notify(CASE WHEN announced < 300 THEN announce_pattern.id::text ELSE '*' END);
EXCEPTION WHEN lock_not_available THEN
    PERFORM
        pg_catalog.set_config('pattern_sync.announced_by', writer, true),
        pg_catalog.set_config('pattern_sync.announced', '301', true); -- wait only once, not for every row
    PERFORM pattern_sync.notify('*');
END $$;

-- The body of the trigger on the patterns for the filter in force. The trigger runs in the detector's
-- transaction, for every row, so the criteria are constants in one expression: to query the settings would double its
-- cost. It is a row trigger, because on an UPDATE of one row it costs a quarter of a transition table, and because
-- PostgreSQL clones it to every partition, existing or new.
--
-- An UPDATE is announced only when the row comes to qualify, so a busy pattern is not announced with every observation.
-- Every error is caught, but never lost: a row that cannot be evaluated requests a scan of all patterns. (After a
-- column has changed its type, every session that was open gets such an error.) PostgreSQL delivers equal payloads of a
-- transaction once. The last resort uses no object of ours, as a restore may have removed everybody's rights on our
-- schema.
CREATE OR REPLACE FUNCTION pattern_sync.announce_body()
RETURNS text LANGUAGE plpgsql STABLE AS $create$
DECLARE
    in_force record;
    criteria text[];
    -- The last two criteria, as far as a row shows them; empty without them. Workflows are in another table, so that
    -- every further observation is announced until the queue has the pattern.
    is_young CONSTANT text := ' AND coalesce((pg_catalog.to_jsonb(%s) ->> ''last_seen''::text)::timestamptz'
        ' >= pg_catalog.now() - %L::double precision * ''1 day''::interval, %s)';
    new_terms text := '';
    old_terms text := '';
BEGIN
    SELECT s.* INTO in_force FROM pattern_sync.settings AS s;
    criteria := ARRAY[
        pg_catalog.format('%L::double precision', in_force.min_confidence),
        pg_catalog.format('%L::bigint', in_force.min_occurrences),
        pg_catalog.format('%L::numeric', in_force.min_savings),
        pg_catalog.format('%L::text[]', coalesce(in_force.only_types, '{}')),
        pg_catalog.format('%L::text[]', coalesce(in_force.exclude_types, '{}'))
    ];
    IF in_force.max_age_days IS NOT NULL THEN -- an unknown time may be known from the occurrences
        new_terms := pg_catalog.format(is_young, 'NEW', in_force.max_age_days, 'true');
        old_terms := pg_catalog.format(is_young, 'OLD', in_force.max_age_days, 'false');
    END IF;
    IF in_force.min_workflows > 0::bigint THEN
        old_terms := pg_catalog.concat(
            old_terms, ' AND OLD.occurrence_count::bigint IS NOT DISTINCT FROM NEW.occurrence_count::bigint'
        );
    END IF;
    RETURN pg_catalog.format(
        $template$
BEGIN
    IF %s
       AND NOT (TG_OP = 'UPDATE' AND OLD.pattern_signature::text = NEW.pattern_signature::text
       AND %s)
    THEN
        PERFORM pattern_sync.announce_pattern(NEW.id::bigint, NEW.pattern_signature::text);
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'pattern_sync: a pattern could not be announced, so all patterns will be scanned: %%', SQLERRM;
    BEGIN
        PERFORM pattern_sync.notify('*');
    EXCEPTION WHEN OTHERS THEN
        IF coalesce(pg_catalog.current_setting('pattern_sync.quiet', true), '') IN ('', 'off', 'false', 'no', '0')
            AND pg_catalog.pg_notification_queue_usage() < 0.5::double precision
        THEN
            PERFORM pg_catalog.pg_notify('pattern_sync', '*');
        END IF;
    END;
    RETURN NULL;
END $template$,
        pg_catalog.concat(pattern_sync.candidacy('NEW', criteria), new_terms),
        pg_catalog.concat(pattern_sync.candidacy('OLD', criteria), old_terms)
    );
END $create$;

-- Create the trigger's function on the patterns anew, for the filter in force. That locks no table.
CREATE OR REPLACE FUNCTION pattern_sync.create_announce()
RETURNS void LANGUAGE plpgsql AS $create$
BEGIN
    EXECUTE pg_catalog.format(
        'CREATE OR REPLACE FUNCTION pattern_sync.announce() RETURNS trigger LANGUAGE plpgsql AS %L',
        pattern_sync.announce_body()
    );
END $create$;

-- How many changed entries a notification to the review pages names at most. A larger change is sent as '*':
-- everything.
CREATE OR REPLACE FUNCTION pattern_sync.most_named()
RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 1000
$$;

-- Notify the review pages of changed entries, 50 to a payload. Too many changes become one '*' (everything), and so do
-- names that do not fit into a payload, which would be an error.
CREATE OR REPLACE FUNCTION pattern_sync.tell_changes(change text, signatures text[])
RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pattern_sync.send(
        'pattern_sync_queue', CASE WHEN pg_catalog.octet_length(sent.payload) < 7900 THEN sent.payload ELSE '*' END
    )
    FROM (
        SELECT pg_catalog.jsonb_build_object(
            change, pg_catalog.jsonb_agg(pattern_sync.legible(listed.signature))
        )::text AS payload
        FROM pg_catalog.unnest(signatures) WITH ORDINALITY AS listed (signature, position)
        WHERE pg_catalog.cardinality(signatures) <= pattern_sync.most_named()
        GROUP BY (listed.position - 1::bigint) / 50::bigint
        UNION ALL
        SELECT '*' WHERE pg_catalog.cardinality(signatures) > pattern_sync.most_named()
    ) AS sent
$$;

-- Remember rejections whose entries are deleted, if the pattern itself is not marked as rejected: it would be queued
-- again. This runs with the owner's rights, as an application need not have rights on our tables. It therefore accepts
-- only callers that may delete entries: anybody else could use it to keep a pattern out of the queue.
CREATE OR REPLACE FUNCTION pattern_sync.remember_rejections(signatures text[])
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    INSERT INTO pattern_sync.rejections (pattern_id)
    SELECT rejected.signature
    FROM pg_catalog.unnest(remember_rejections.signatures) AS rejected (signature)
    JOIN operation_patterns AS p ON p.pattern_signature::text = rejected.signature
    WHERE pattern_sync.eligible(p.automation_status::text)
      AND pg_catalog.has_table_privilege(
          CASE pg_catalog.current_setting('role') WHEN 'none' THEN session_user
              ELSE pg_catalog.current_setting('role')::name END,
          'pattern_approvals'::regclass::oid,
          'DELETE'
      )
    ON CONFLICT (pattern_id) DO NOTHING
$$;

-- Request a scan after entries were deleted, so that patterns that still qualify are queued again. If the request
-- cannot be sent, the next sweep finds the same patterns.
CREATE OR REPLACE FUNCTION pattern_sync.announce_deletion()
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pattern_sync.notify('*');
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'pattern_sync: a deletion from the queue was not announced: %', SQLERRM;
END $$;

-- Body of the triggers on the queue and on its history: notify the review pages of every change, whoever made it. These
-- are statement triggers with transition tables, as a bulk change must not pay for each row. Like the trigger on the
-- patterns, they never fail their statement.
CREATE OR REPLACE FUNCTION pattern_sync.announce_entries()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM pattern_sync.announce_deletion();
        PERFORM pattern_sync.send('pattern_sync_queue', '*');
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        BEGIN
            PERFORM pattern_sync.remember_rejections(rejected.signatures)
            FROM (
                SELECT pg_catalog.array_agg(c.pattern_id::text) AS signatures
                FROM changed AS c
                WHERE c.status::text IN ('rejected', 'auto-rejected')
            ) AS rejected
            WHERE rejected.signatures IS NOT NULL;
        EXCEPTION WHEN OTHERS THEN
            RAISE LOG 'pattern_sync: rejections were not remembered: %', SQLERRM;
        END;
        IF EXISTS (SELECT FROM changed) THEN
            PERFORM pattern_sync.announce_deletion();
        END IF;
    END IF;
    IF EXISTS (SELECT FROM changed OFFSET pattern_sync.most_named()) THEN
        PERFORM pattern_sync.send('pattern_sync_queue', '*');
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        -- A change of status is a decision. A decided entry that keeps its status is only refreshed, like the figures
        -- of a pending one. An entry that was renamed is removed under its old name. The join is a full join, which is
        -- never a nested loop.
        PERFORM pattern_sync.tell_changes(listed.change, pg_catalog.array_agg(listed.signature))
        FROM (
            SELECT
                coalesce(became.signature, was.signature) AS signature,
                CASE
                    WHEN became.signature IS NULL THEN 'removed'
                    WHEN became.status = 'pending' OR became.status = was.status THEN 'refreshed'
                    ELSE 'decided'
                END AS change
            FROM (SELECT b.pattern_id::text AS signature, b.status::text AS status FROM before AS b) AS was
            FULL JOIN (SELECT c.pattern_id::text AS signature, c.status::text AS status FROM changed AS c) AS became
                ON became.signature = was.signature
        ) AS listed
        GROUP BY listed.change;
        RETURN NULL;
    END IF;
    PERFORM pattern_sync.tell_changes(listed.change, pg_catalog.array_agg(listed.signature))
    FROM (
        SELECT
            first.item ->> 'pattern_id'::text AS signature,
            CASE
                WHEN TG_OP = 'DELETE' THEN 'removed'
                WHEN first.item ->> 'status'::text = 'pending' THEN 'queued'
                WHEN first.item ->> 'action'::text IN ('commented', 'flagged') THEN 'commented'
                ELSE 'decided'
            END AS change
        FROM (SELECT pg_catalog.to_jsonb(changed) AS item FROM changed) AS first
    ) AS listed
    GROUP BY listed.change;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'pattern_sync: a change of the queue was not announced: %', SQLERRM;
    RETURN NULL;
END $$;

-- Body of the trigger on the settings: re-create the trigger on the patterns for the new filter, note who published it,
-- and notify every daemon to read the filter and to scan. This runs with the owner's rights, as a daemon may change the
-- filter but no other object of ours. Concurrent changes wait for the row.
CREATE OR REPLACE FUNCTION pattern_sync.announce_settings()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pattern_sync.create_announce();
    EXECUTE pg_catalog.format(
        'COMMENT ON FUNCTION pattern_sync.announce() IS %L',
        pg_catalog.format(
            'Body of the trigger on the patterns: announce what comes to qualify.'
            ' Its filter was published by %s from %s.',
            session_user,
            coalesce(pg_catalog.host(pg_catalog.inet_client_addr()), 'the machine of the server')
        )
    );
    PERFORM pattern_sync.notify('settings');
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER announce_settings AFTER INSERT OR UPDATE ON pattern_sync.settings
    FOR EACH ROW EXECUTE FUNCTION pattern_sync.announce_settings();
-- Also for a replicated row, and for a daemon whose role or database has session_replication_role = replica.
ALTER TABLE pattern_sync.settings ENABLE ALWAYS TRIGGER announce_settings;

SELECT pattern_sync.create_announce();

COMMENT ON FUNCTION pattern_sync.announce()
    IS 'Body of the trigger on the patterns: announce what comes to qualify. Created by pattern_sync.create_announce.';
COMMENT ON TABLE pattern_sync.migrations IS 'The installed migrations.';
COMMENT ON TABLE pattern_sync.runs IS 'What the last scans did.';

-- Request a scan of all patterns.
CREATE OR REPLACE FUNCTION pattern_sync.request()
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT pattern_sync.notify('*')
$$;

-- Request another look at one pattern. Returns false if there is no such pattern.
CREATE OR REPLACE FUNCTION pattern_sync.request(signature text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    found_id bigint;
BEGIN
    SELECT p.id INTO found_id FROM operation_patterns AS p
    WHERE p.pattern_signature::text = request.signature
    LIMIT 1;
    IF found_id IS NULL THEN
        RETURN false;
    END IF;
    PERFORM pattern_sync.notify(found_id::text);
    RETURN true;
END $$;

-- Whether an error may pass if the statement is tried again: locks, lost servers, full disks. Any other error inside a
-- decision or a comment is a refusal by the application's tables, triggers or policies, whatever its SQLSTATE.
CREATE OR REPLACE FUNCTION pattern_sync.is_passing(code text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.left(code, 2) IN ('08', '25', '40', '53', '57', '58') OR code = '55P03'
$$;

-- Write a person's comment. Returns false if there is no such entry. Returns NULL, with nothing written, if a trigger,
-- rule or policy of the application kept it out.
CREATE OR REPLACE FUNCTION pattern_sync.remark(signature text, reviewer text, comment text)
RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '800ms' AS $$
BEGIN
    PERFORM FROM pattern_approvals AS a WHERE a.pattern_id::text = remark.signature;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO pattern_review_history (pattern_id, action, reviewer, notes)
    VALUES (remark.signature, 'commented', remark.reviewer, remark.comment);
    IF NOT FOUND AND NOT pattern_sync.is_noted(remark.signature, 'commented', remark.reviewer, remark.comment) THEN
        RETURN NULL;
    END IF;
    SET CONSTRAINTS ALL IMMEDIATE;
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    IF pattern_sync.is_passing(SQLSTATE) THEN
        RAISE;
    END IF;
    RAISE EXCEPTION USING MESSAGE = SQLERRM || ' (SQLSTATE ' || SQLSTATE || ')', ERRCODE = 'P0001';
END $$;

-- What keeps changes from being notified, one row for each fault: the table and the fault in words; whom the silence
-- affects ('patterns': the daemons, 'pages': the review pages, NULL: nobody); and the SQL that mends it (NULL:
-- re-create the functions). It is called every few seconds and raises no error, whatever is missing.
--
-- operation_patterns, and each child that inherits from it, needs a row trigger; partitions get theirs from PostgreSQL
-- with the parent's. The queue and its history need statement triggers. Each trigger fires ALWAYS, so also for writes
-- of a replica or of a session in that role. The tables are the ones that the names mean now: a table that was
-- re-created or swapped in has no trigger, and the one that was swapped out still has ours.
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
        -- A reconcile notifies after its commit: inside it, a notification would add a tenth to the time from commit to
        -- entry.
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
                        -- A partition that had its own trigger before it was attached.
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
    -- Triggers of ours where none should be. Only tables of the same owner count: anybody may create a trigger that
    -- calls our functions on a table of their own, and that is harmless.
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
    SELECT
        settings::regclass,
        CASE
            WHEN settings IS NULL THEN 'there is no table pattern_sync.settings'
            WHEN pg_catalog.count(t.oid) = 0::bigint THEN 'the trigger on pattern_sync.settings is missing'
            WHEN pg_catalog.bool_or(t.tgenabled::text = 'D'::text)
                THEN 'the trigger on pattern_sync.settings is disabled'
            ELSE 'the trigger on pattern_sync.settings does not fire for replicated writes'
        END,
        'patterns',
        pg_catalog.string_agg(
            CASE WHEN t.oid IS NOT NULL THEN
                pg_catalog.format('ALTER TABLE pattern_sync.settings ENABLE ALWAYS TRIGGER %I; ', t.tgname)
            END,
            ''
        )
    FROM (SELECT) AS always
    LEFT JOIN pg_catalog.pg_trigger AS t
        ON t.tgrelid = settings AND NOT t.tgisinternal
        AND t.tgname = 'announce_settings'::name -- others may be there, too
    HAVING pg_catalog.count(t.oid) FILTER (WHERE t.tgenabled::text = 'A'::text)
        < greatest(pg_catalog.count(t.oid), 1::bigint)
    ORDER BY 1, 2;

    IF settings IS NOT NULL THEN -- apart: a statement that names a missing table is an error
        RETURN QUERY
        SELECT
            settings::regclass,
            'pattern_sync.settings has no row, so there is no filter',
            'patterns',
            'INSERT INTO pattern_sync.settings DEFAULT VALUES; '
        WHERE NOT EXISTS (SELECT FROM pattern_sync.settings);

        BEGIN
            RETURN QUERY
            SELECT
                patterns::regclass,
                'the function pattern_sync.announce() was changed, or was created for another filter',
                'patterns',
                'SELECT pattern_sync.create_announce(); '
            FROM pg_catalog.pg_proc AS p
            WHERE p.oid = announce
              AND p.prosrc <> pattern_sync.announce_body()
              AND EXISTS (SELECT FROM pattern_sync.settings);
        EXCEPTION WHEN OTHERS THEN
            RETURN QUERY
            SELECT
                settings::regclass,
                pg_catalog.concat('the filter in pattern_sync.settings cannot be read: ', SQLERRM),
                'patterns',
                NULL;
        END;
    END IF;
END $$;

-- A digest of the files that hold the patterns and of the versions of their triggers. If it changes, rows may have been
-- added or changed without any trigger: a partition was attached, a column got another type, or the triggers were
-- disabled for a bulk load and enabled again.
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
            pg_catalog.string_agg(pg_catalog.concat(c.oid, '/', c.relfilenode, '/', t.xmin), ' ' ORDER BY c.oid))
        FROM family
        JOIN pg_catalog.pg_class AS c ON c.oid = family.relation
        LEFT JOIN pg_catalog.pg_trigger AS t
            ON t.tgrelid = c.oid AND t.tgname::text = 'pattern_sync_announce'::text
    );
END $$;

-- The tables with faults that install_trigger can mend.
CREATE OR REPLACE FUNCTION pattern_sync.tables_without_trigger()
RETURNS SETOF regclass LANGUAGE sql STABLE AS $$
    SELECT DISTINCT f.relation FROM pattern_sync.trigger_faults() AS f WHERE f.mending IS NOT NULL ORDER BY f.relation
$$;

-- Mend the faults of one table's triggers. The lock waits for current writers and blocks later ones, so a table without
-- a fault is not locked. The faults are read again under the lock, as another session may have mended them first.
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
    IF faulty IS NOT NULL THEN -- or a caller that repeats this until no fault is left would never end
        RAISE EXCEPTION 'could not be mended: %', faulty;
    END IF;
END $$;


GRANT USAGE ON SCHEMA pattern_sync TO PUBLIC;
GRANT SELECT ON pattern_sync.settings TO PUBLIC; -- the filter in force is no secret
-- Functions that change database objects are executed only by the owner, and by functions with the owner's rights.
REVOKE EXECUTE ON FUNCTION pattern_sync.install_trigger(regclass), pattern_sync.create_announce() FROM PUBLIC;
