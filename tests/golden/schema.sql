CREATE SCHEMA pattern_sync;
COMMENT ON SCHEMA pattern_sync IS 'Pattern Sync: installed by "pattern-sync migrate", removed by "pattern-sync uninstall"';
CREATE FUNCTION pattern_sync.action_of(verdict text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE verdict WHEN 'approve' THEN 'approved' WHEN 'reject' THEN 'rejected' END
$$;
COMMENT ON FUNCTION pattern_sync.action_of(verdict text) IS 'The word of the history for a verdict.';
CREATE FUNCTION pattern_sync.adjust_confidence(at_least bigint, OUT adjusted text[], OUT refused text[], OUT reason text) RETURNS record
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    result record;
    standing record;
    entry record;
    wanted double precision;
    is_new boolean;
    is_to_be_written boolean;
BEGIN
    adjusted := '{}';
    refused := '{}';
    IF NOT pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('adjustments')::integer
    ) THEN
        RETURN;
    END IF;
    FOR result IN
        SELECT r.* FROM pattern_sync.results_of_pending(adjust_confidence.at_least) AS r ORDER BY r.signature
    LOOP
        wanted := pg_catalog.round(
            pattern_sync.confidence_by_results(result.success_rate, result.roi_percentage, result.executions)::numeric,
            6
        )::double precision;
        SELECT j.* INTO standing FROM pattern_sync.adjustments AS j
        WHERE j.pattern_id = result.signature ORDER BY j.id DESC LIMIT 1;
        SELECT
            pattern_sync.figure(a.confidence_score::text::numeric)::double precision AS confidence,
            pattern_sync.confidence_of_source(result.signature) AS of_source
        INTO entry
        FROM pattern_approvals AS a
        WHERE a.pattern_id::text = result.signature AND a.status::text = 'pending'
        FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        UPDATE pattern_sync.adjustments AS j SET confirmed_at = pg_catalog.clock_timestamp()
        WHERE j.id = standing.id AND j.new_confidence = wanted;
        is_new := standing.new_confidence IS DISTINCT FROM wanted;
        is_to_be_written := entry.confidence <> wanted AND (is_new OR entry.confidence = entry.of_source);
        CONTINUE WHEN NOT (is_new OR is_to_be_written);
        BEGIN
            IF is_to_be_written THEN
                UPDATE pattern_approvals AS a SET confidence_score = wanted
                WHERE a.pattern_id::text = result.signature AND a.status::text = 'pending';
                SET CONSTRAINTS ALL IMMEDIATE;
            END IF;
            PERFORM pattern_sync.note_adjustment(
                result.signature, entry.confidence, wanted, pg_catalog.jsonb_build_object(
                    'total_executions', result.executions,
                    'success_rate', result.success_rate,
                    'roi_percentage', result.roi_percentage,
                    'total_cost_saved_usd', result.saved
                )
            );
            adjusted := pg_catalog.array_append(adjusted, result.signature);
        EXCEPTION WHEN OTHERS OR assert_failure THEN
            IF pattern_sync.is_passing(SQLSTATE) THEN
                RAISE;
            END IF;
            refused := pg_catalog.array_append(refused, result.signature);
            reason := coalesce(reason, SQLERRM);
        END;
    END LOOP;
END $$;
COMMENT ON FUNCTION pattern_sync.adjust_confidence(at_least bigint, OUT adjusted text[], OUT refused text[], OUT reason text) IS 'Set the confidence of pending entries by the results of their executions, from so many on. Returns the signatures of the entries that were written, and of those that are refused, with the first reason.';
CREATE FUNCTION pattern_sync.all_seen() RETURNS TABLE(row_id bigint, last_seen timestamp with time zone, workflows bigint)
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    counted CONSTANT boolean := (
        SELECT s.min_workflows IS NOT NULL
        FROM pattern_sync.settings AS s
        WHERE s.max_age_days IS NOT NULL OR s.min_workflows IS NOT NULL
    );
BEGIN
    IF counted IS NOT NULL THEN
        RETURN QUERY
        SELECT k.row_id, k.last_seen, k.workflows
        FROM pattern_sync.seen(ARRAY(SELECT p.id::bigint FROM operation_patterns AS p), counted) AS k;
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.all_seen() IS 'What `seen` knows of all patterns, if the filter in force asks for any of it; no row otherwise.';
CREATE FUNCTION pattern_sync.all_seen_enough() RETURNS TABLE(row_id bigint)
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN QUERY
    SELECT k.row_id
    FROM pattern_sync.all_seen() AS k
    CROSS JOIN pattern_sync.settings AS s
    WHERE pattern_sync.is_seen_enough(k.last_seen, k.workflows, s.max_age_days, s.min_workflows);
END $$;
COMMENT ON FUNCTION pattern_sync.all_seen_enough() IS 'Those of all patterns that meet the last two criteria of the filter in force; none where neither is set. It returns rows and not an array, which the planner would compute once more to know its length.';
CREATE FUNCTION pattern_sync.amount(value text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $_$
    SELECT CASE
        WHEN (
            pg_catalog.translate(value, '0123456789', '') IN ('', '.')
            AND pg_catalog.length(value) BETWEEN 1 AND 30
            AND pg_catalog.strpos(value, '.') <> 1
        ) OR pg_catalog.textregexeq(value, '^[-+]?[0-9]{1,30}([.][0-9]*)?([eE][-+]?[0-9]{1,2})?$')
            THEN pg_catalog.round(value::numeric, 6)
    END
$_$;
COMMENT ON FUNCTION pattern_sync.amount(value text) IS 'An amount of money from a column of any type, as text: NULL if it is no plain number, such as NaN or ''$1.50''. Digits with at most one point among them, as nearly all are, are told without the regular expression, in half the time.';
CREATE FUNCTION pattern_sync.announce() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF coalesce(NEW.automation_status::text, 'detected') = 'detected' AND coalesce(NEW.potential_monthly_savings::numeric, 0) >= coalesce('1000'::numeric, '-1e309') AND coalesce(NEW.potential_monthly_savings::numeric, 0) < 'Infinity'
       AND coalesce(NEW.confidence_score::double precision, 0) >= coalesce('70'::double precision, '-1.7976931348623157e308') AND coalesce(NEW.confidence_score::double precision, 0) < 'Infinity'
       AND coalesce(NEW.occurrence_count::bigint, 0) >= coalesce('5'::bigint, coalesce(NEW.occurrence_count::bigint, 0))
       AND (pg_catalog.cardinality('{}'::text[]) = 0 OR coalesce(NEW.pattern_type::text, '') = ANY ('{}'::text[]))
       AND coalesce(NEW.pattern_type::text, '') <> ALL ('{}'::text[])
       AND NOT (TG_OP = 'UPDATE' AND OLD.pattern_signature::text = NEW.pattern_signature::text
       AND coalesce(OLD.automation_status::text, 'detected') = 'detected' AND coalesce(OLD.potential_monthly_savings::numeric, 0) >= coalesce('1000'::numeric, '-1e309') AND coalesce(OLD.potential_monthly_savings::numeric, 0) < 'Infinity'
       AND coalesce(OLD.confidence_score::double precision, 0) >= coalesce('70'::double precision, '-1.7976931348623157e308') AND coalesce(OLD.confidence_score::double precision, 0) < 'Infinity'
       AND coalesce(OLD.occurrence_count::bigint, 0) >= coalesce('5'::bigint, coalesce(OLD.occurrence_count::bigint, 0))
       AND (pg_catalog.cardinality('{}'::text[]) = 0 OR coalesce(OLD.pattern_type::text, '') = ANY ('{}'::text[]))
       AND coalesce(OLD.pattern_type::text, '') <> ALL ('{}'::text[]))
    THEN
        PERFORM pattern_sync.announce_pattern(NEW.id::bigint, NEW.pattern_signature::text);
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'pattern_sync: a pattern could not be announced, so all patterns will be scanned: %', SQLERRM;
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
END $$;
COMMENT ON FUNCTION pattern_sync.announce() IS 'Body of the trigger on the patterns: announce what comes to qualify. Created by pattern_sync.create_announce.';
CREATE FUNCTION pattern_sync.announce_body() RETURNS text
    LANGUAGE plpgsql STABLE
    AS $_$
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
END $_$;
COMMENT ON FUNCTION pattern_sync.announce_body() IS 'The body of the trigger on the patterns for the filter in force. The trigger runs in the detector''s transaction, for every row, so the criteria are constants in one expression: to query the settings would double its cost. It is a row trigger, because on an UPDATE of one row it costs a quarter of a transition table, and because PostgreSQL clones it to every partition, existing or new.';
CREATE FUNCTION pattern_sync.announce_deletion() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pattern_sync.notify('*');
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'pattern_sync: a deletion from the queue was not announced: %', SQLERRM;
END $$;
COMMENT ON FUNCTION pattern_sync.announce_deletion() IS 'Request a scan after entries were deleted, so that patterns that still qualify are queued again. If the request cannot be sent, the next sweep finds the same patterns.';
CREATE FUNCTION pattern_sync.announce_entries() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
COMMENT ON FUNCTION pattern_sync.announce_entries() IS 'Body of the triggers on the queue and on its history: notify the review pages of every change, whoever made it. These are statement triggers with transition tables, as a bulk change must not pay for each row. Like the trigger on the patterns, they never fail their statement.';
CREATE FUNCTION pattern_sync.announce_pattern(id bigint, signature text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS $$
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
COMMENT ON FUNCTION pattern_sync.announce_pattern(id bigint, signature text) IS 'Announce a qualifying pattern unless the queue has it. From the 301st in a transaction on, one request for a scan replaces the single announcements. It runs with the owner''s rights, as a detector may be unable to read the queue. Its lock_timeout keeps an ALTER TABLE of the queue from blocking a detector.';
CREATE FUNCTION pattern_sync.announce_settings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION pattern_sync.announce_settings() IS 'Body of the trigger on the settings: re-create the trigger on the patterns for the new filter, note who published it, and notify every daemon to read the filter and to scan. This runs with the owner''s rights, as a daemon may change the filter but no other object of ours. Concurrent changes wait for the row.';
CREATE FUNCTION pattern_sync.apply_rule(rule_name text, version bigint, notes text) RETURNS TABLE(pattern_id text, outcome text, batch_id bigint, detail text)
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
DECLARE
    own pattern_sync.rules;
    left_over bigint;
    due text[];
    chosen text[];
    made record;
    because text;
BEGIN
    SELECT r.* INTO own
    FROM pattern_sync.rules AS r
    WHERE r.name = apply_rule.rule_name AND r.version = apply_rule.version AND r.state = 'on'
      AND pattern_sync.is_looked_after(r.looked_at, r.wait_hours)
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    due := ARRAY(
        SELECT d.pattern_id FROM pattern_sync.due_marks(own.name, own.version, own.wait_hours) AS d
        ORDER BY d.since, d.pattern_id
    );
    IF pg_catalog.cardinality(due) = 0 THEN
        RETURN;
    END IF;
    chosen := pattern_sync.decidable(own.name, due);
    IF pg_catalog.cardinality(chosen) = 0 THEN
        RETURN;
    END IF;
    left_over := greatest(0::bigint, own.per_day - (
        SELECT pg_catalog.count(*) FROM pattern_sync.rule_log AS l
        WHERE l.rule = own.name AND l.act = 'decided' AND l.at > pg_catalog.clock_timestamp() - '24 hours'::interval
    ));
    IF pg_catalog.cardinality(chosen)::bigint > left_over THEN
        IF own.full_at < pg_catalog.clock_timestamp() - '24 hours'::interval
            AND own.full_at > pg_catalog.clock_timestamp() - '30 days'::interval
        THEN
            because := pg_catalog.format(
                'more was due than its %s decisions a day, for the second time in 30 days', own.per_day
            );
            PERFORM pattern_sync.pause_rule(own.name, own.version, because, 'system');
            RETURN QUERY SELECT NULL::text, 'paused', NULL::bigint, because;
            RETURN;
        END IF;
        UPDATE pattern_sync.rules AS r SET full_at = CASE
            WHEN r.full_at > pg_catalog.clock_timestamp() - '30 days'::interval THEN r.full_at
            ELSE pg_catalog.clock_timestamp()
        END
        WHERE r.name = own.name;
        RETURN QUERY SELECT NULL::text, 'full', NULL::bigint, NULL::text;
        -- Those that have waited longest.
        chosen := ARRAY(
            SELECT d.signature
            FROM pg_catalog.unnest(due) WITH ORDINALITY AS d (signature, place)
            JOIN pg_catalog.unnest(chosen) AS c (signature) ON c.signature = d.signature
            ORDER BY d.place
            LIMIT left_over
        );
    END IF;
    -- Judged once more when nobody else can change them. What a person is about to decide is locked, and left alone.
    chosen := (SELECT l.free FROM pattern_sync.lock_entries(chosen, NULL, 'pending', false, false) AS l);
    chosen := pattern_sync.decidable(own.name, chosen);
    IF pg_catalog.cardinality(chosen) = 0 THEN
        RETURN;
    END IF;
    FOR made IN
        SELECT d.* FROM pattern_sync.decide_many(
            chosen, pg_catalog.concat('auto-', pattern_sync.action_of(own.verdict)),
            pattern_sync.action_of(own.verdict), pattern_sync.action_of(own.verdict),
            pattern_sync.rule_reviewer(own.name, own.version), apply_rule.notes, 'pending', NULL, false, false
        ) AS d
    LOOP
        IF made.outcome = 'decided' THEN
            INSERT INTO pattern_sync.rule_log (rule, version, act, pattern_id, figures, batch_id)
            SELECT l.rule, l.version, 'decided', l.pattern_id, l.figures, made.batch_id
            FROM pattern_sync.rule_log AS l
            WHERE l.rule = own.name AND l.pattern_id = made.pattern_id AND l.act = 'would' AND l.ended_at IS NULL;
            UPDATE pattern_sync.rule_log AS l SET ended_at = pg_catalog.clock_timestamp()
            WHERE l.pattern_id = made.pattern_id AND l.act IN ('would', 'checked') AND l.ended_at IS NULL;
        END IF;
        RETURN QUERY SELECT made.pattern_id, made.outcome, made.batch_id, made.detail;
    END LOOP;
END $$;
COMMENT ON FUNCTION pattern_sync.apply_rule(rule_name text, version bigint, notes text) IS 'Decide what a rule has marked, its waiting time ago, and may decide: in one transaction, with what it takes to undo it. Returns an outcome for each as `decide_many` does. The rule''s row stays locked meanwhile, so that no other daemon counts the same day''s budget; where more is due than that leaves, one more row says ''full'', or ''paused'' with the reason if that happened before, on another day. A clock that was set back counts against the rule.';
CREATE FUNCTION pattern_sync.approved_at(status text, reviewed_at timestamp with time zone, created_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE
        WHEN approved_at.status IN ('approved', 'auto-approved') THEN coalesce(
            pattern_sync.moment(approved_at.reviewed_at), pattern_sync.moment(approved_at.created_at),
            '1970-01-01 00:00+00'::timestamptz
        )
    END
$$;
COMMENT ON FUNCTION pattern_sync.approved_at(status text, reviewed_at timestamp with time zone, created_at timestamp with time zone) IS 'Since when an entry is approved; NULL if it is not. An entry that a program has approved may have no time of review: it was inserted so.';
CREATE FUNCTION pattern_sync.are_allowed(flags text[], allowed text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT coalesce(pg_catalog.arraycontains(coalesce(allowed, '{}'::text[]), flags), false)
$$;
COMMENT ON FUNCTION pattern_sync.are_allowed(flags text[], allowed text[]) IS 'Whether all flags of an entry are among those that a rule allows. NULL: it is not known what is recorded.';
CREATE FUNCTION pattern_sync.are_noted(signatures text[], action text, reviewer text, notes text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    RETURN (
        SELECT pg_catalog.count(DISTINCT h.pattern_id::text) = pg_catalog.cardinality(are_noted.signatures)::bigint
        FROM pattern_review_history AS h
        WHERE h.pattern_id::text = ANY (are_noted.signatures)
          AND h.action::text = are_noted.action
          AND h.reviewer::text = are_noted.reviewer
          AND h.notes::text IS NOT DISTINCT FROM are_noted.notes
    );
END $$;
COMMENT ON FUNCTION pattern_sync.are_noted(signatures text[], action text, reviewer text, notes text) IS 'Whether the history holds an event of each pattern although its INSERT reported fewer rows. A trigger that moves rows into child tables makes the INSERT report none.';
CREATE FUNCTION pattern_sync.arrow() RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE
        WHEN pg_catalog.getdatabaseencoding() = 'UTF8'::name THEN pg_catalog.convert_from('\xe28692'::bytea, 'UTF8')
        ELSE '->'
    END
$$;
COMMENT ON FUNCTION pattern_sync.arrow() IS 'The arrow between two operations; ASCII where the encoding lacks the real one.';
CREATE FUNCTION pattern_sync.asleep(status text) RETURNS TABLE(pattern_id text)
    LANGUAGE sql STABLE
    AS $$
    SELECT s.pattern_id
    FROM pattern_sync.snoozes AS s
    JOIN pattern_sync.traits AS t ON t.pattern_id = s.pattern_id
    WHERE pattern_sync.is_asleep(s.until, s.until_savings, t.savings)
      AND (asleep.status IS NULL OR t.status = asleep.status)
$$;
COMMENT ON FUNCTION pattern_sync.asleep(status text) IS 'The entries with a status (NULL: any) that somebody wants to see later. They are few: a search reads them once.';
CREATE FUNCTION pattern_sync.can_find() RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (SELECT FROM pattern_sync.traits)
        OR (pattern_sync.may_keep_traits() AND pattern_sync.is_short_queue());
END $$;
COMMENT ON FUNCTION pattern_sync.can_find() IS 'Whether every entry can be found: not before the traits of a long queue were written for the first time.';
CREATE FUNCTION pattern_sync.candidacy(row_name text, criteria text[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
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
COMMENT ON FUNCTION pattern_sync.candidacy(row_name text, criteria text[]) IS 'Whether a row of the patterns is to be queued: it is eligible and it qualifies. Returns SQL text over the row''s name. This is the only place that maps columns to figures. The criteria are in the predicate''s order.';
CREATE FUNCTION pattern_sync.carrier() RETURNS TABLE(signature text, claimed double precision, queue double precision)
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    largest record;
    others numeric;
BEGIN
    IF pattern_sync.is_short_queue() THEN
        SELECT c.signature, c.savings, c.total - c.savings AS others INTO largest
        FROM (
            SELECT q.signature, q.savings, pg_catalog.sum(q.savings) OVER () AS total
            FROM (
                SELECT
                    a.pattern_id::text COLLATE "default" AS signature,
                    pattern_sync.figure(a.estimated_savings_usd::text::numeric) AS savings
                FROM pattern_approvals AS a
                WHERE a.status::text = 'pending'
            ) AS q
            WHERE q.savings > 0::numeric
        ) AS c
        ORDER BY c.savings DESC, c.signature
        LIMIT 1;
        others := nullif(largest.others, 0::numeric); -- the only one carries nothing
    ELSE
        SELECT t.pattern_id AS signature, t.savings::numeric AS savings INTO largest
        FROM pattern_sync.traits AS t
        WHERE t.status = 'pending'
        ORDER BY t.savings DESC, t.pattern_id
        LIMIT 1;
        SELECT pg_catalog.sum(following.savings::numeric) INTO others
        FROM (
            SELECT t.savings FROM pattern_sync.traits AS t
            WHERE t.status = 'pending' AND t.savings > 0::double precision
            ORDER BY t.savings DESC, t.pattern_id
            OFFSET 1
            LIMIT 100
        ) AS following;
        IF others * 9::numeric < largest.savings THEN
            -- In whole cents of a double, which are exact and twice as fast as numeric.
            SELECT
                pg_catalog.sum(pg_catalog.round(t.savings * 100::double precision))::numeric / 100::numeric
                - largest.savings
            INTO others
            FROM pattern_sync.traits AS t
            WHERE t.status = 'pending' AND t.savings > 0::double precision;
        END IF;
    END IF;
    IF others * 9::numeric < largest.savings THEN
        RETURN QUERY SELECT
            largest.signature, largest.savings::double precision, (largest.savings + others)::double precision;
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.carrier() IS 'The pending entry that claims more than nine tenths of what all of them claim, if there is one, with both sums.';
CREATE FUNCTION pattern_sync.check_inserted(inserted bigint) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF check_inserted.inserted = 0::bigint THEN
        RAISE EXCEPTION 'the application''s own trigger or rule kept it out' USING ERRCODE = 'PS001';
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.check_inserted(inserted bigint) IS 'Raise PS001 unless a row was inserted: a trigger or rule of the application may keep it out without an error.';
CREATE FUNCTION pattern_sync.check_writable(table_name text, needed text[]) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    relation CONSTANT oid := pg_catalog.to_regclass(check_writable.table_name)::oid;
    grants text;
    lacking text;
BEGIN
    grants := (
        SELECT pg_catalog.string_agg(g.remedy, ' ')
        FROM (
            SELECT pg_catalog.format('GRANT INSERT ON %s TO %I;', relation::regclass, current_user) AS remedy
            WHERE NOT pg_catalog.has_any_column_privilege(relation, 'INSERT')
            UNION ALL
            SELECT pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO %I;', s.oid::regclass, current_user)
            FROM pg_catalog.pg_depend AS d
            JOIN pg_catalog.pg_class AS s ON s.oid = d.objid
            WHERE d.refobjid = relation
              AND d.classid = 'pg_catalog.pg_class'::regclass::oid
              AND d.refclassid = 'pg_catalog.pg_class'::regclass::oid
              AND d.deptype = 'a'::"char"
              AND NOT CASE s.relkind
                  WHEN 'S'::"char" THEN pg_catalog.has_sequence_privilege(s.oid, 'USAGE') ELSE true
              END
        ) AS g
    );
    lacking := pattern_sync.lacking(check_writable.table_name, check_writable.needed);
    IF lacking IS NOT NULL THEN
        RAISE EXCEPTION '% lacks %', check_writable.table_name, lacking USING ERRCODE = 'PS002';
    END IF;
    IF grants IS NOT NULL THEN
        RAISE EXCEPTION 'this role may not write to %; as its owner: %', check_writable.table_name, grants
            USING ERRCODE = 'PS002';
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.check_writable(table_name text, needed text[]) IS 'Raise PS002 if a table lacks one of these columns, or if this role may not insert into it, with what its owner has to run.';
CREATE FUNCTION pattern_sync.claim_message(channels text[], lease_seconds double precision) RETURNS TABLE(id bigint, key text, channel text, kind text, created_at timestamp with time zone, letter text, attempts integer)
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    RETURN QUERY
    UPDATE pattern_sync.messages AS m
    SET
        claimed_until = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => claim_message.lease_seconds),
        attempts = m.attempts + 1
    WHERE m.id = (
        SELECT open.id
        FROM pattern_sync.messages AS open
        WHERE open.state = 'open'
          AND open.due_at <= pg_catalog.clock_timestamp()
          AND (open.claimed_until IS NULL OR open.claimed_until < pg_catalog.clock_timestamp())
          AND open.id IN (SELECT s.id FROM pattern_sync.sendable(claim_message.channels) AS s)
        ORDER BY open.due_at, open.id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING m.id, m.key, m.channel, m.kind, m.created_at, m.letter::text, m.attempts;
END $$;
COMMENT ON FUNCTION pattern_sync.claim_message(channels text[], lease_seconds double precision) IS 'Take the next message of these channels that may be sent now, for so long; no row if there is none.';
CREATE FUNCTION pattern_sync.confidence_by_results(success_rate double precision, roi_percentage double precision, executions bigint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT greatest(0::double precision, least(1::double precision,
        success_rate
        + greatest(0::double precision, least(0.1::double precision, roi_percentage / 1000::double precision))
        + least(0.05::double precision, executions::double precision / 1000::double precision)
        - greatest(0::double precision, - roi_percentage) / 100::double precision
    ))
$$;
COMMENT ON FUNCTION pattern_sync.confidence_by_results(success_rate double precision, roi_percentage double precision, executions bigint) IS 'The confidence that results speak for, 0 to 1: the share of executions that succeeded, up to .1 more for what they saved of the estimated cost (in percent), up to .05 more for their number, and less where they cost more than before.';
CREATE FUNCTION pattern_sync.confidence_of_source(signature text) RETURNS double precision
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    RETURN (
        SELECT pattern_sync.figure(w.confidence::numeric / 100::numeric)::double precision
        FROM pattern_sync.written AS w
        WHERE w.pattern_id = confidence_of_source.signature COLLATE "default"
    );
END $$;
COMMENT ON FUNCTION pattern_sync.confidence_of_source(signature text) IS 'The confidence that a refresh would write of a pattern, 0 to 1; NULL if there is no such pattern.';
CREATE FUNCTION pattern_sync.containing(wanted jsonb, key text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT pg_catalog.array_agg(
        pg_catalog.concat('%', pg_catalog.regexp_replace(word, '([\\%_])', '\\\1', 'g'), '%')
    )
    FROM pg_catalog.unnest(pattern_sync.words_of(containing.wanted, containing.key)) AS word
$$;
COMMENT ON FUNCTION pattern_sync.containing(wanted jsonb, key text) IS 'The patterns of LIKE for texts that hold the words under a key of an object, in small letters; each character of a word stands for itself. NULL if it has no such key.';
CREATE FUNCTION pattern_sync.count_decided(since timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    SELECT pg_catalog.count(*)
    FROM (
        SELECT each.pattern_id
        FROM (
            SELECT d.pattern_id, d.decided_at AS at FROM pattern_sync.decisions AS d
            WHERE d.undone_at IS NULL AND d.decision IN ('approved', 'rejected')
            UNION ALL
            SELECT a.pattern_id::text COLLATE "default", pattern_sync.moment(a.reviewed_at::timestamptz)
            FROM pattern_approvals AS a
            WHERE a.status::text IN ('approved', 'rejected')
        ) AS each
        GROUP BY each.pattern_id
        HAVING since IS NULL OR pg_catalog.max(each.at) >= since
    ) AS decided
$$;
COMMENT ON FUNCTION pattern_sync.count_decided(since timestamp with time zone) IS 'How many patterns people have decided since a time (NULL: ever). `people_decided` would read the figures of each.';
CREATE FUNCTION pattern_sync.count_found(status text, wanted jsonb, snoozed text, since timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    IF wanted IS NULL AND since IS NULL AND snoozed <> 'only' THEN
        RETURN (
            SELECT pg_catalog.count(*) FROM pattern_sync.traits AS t
            WHERE count_found.status IS NULL OR t.status = count_found.status
        ) - CASE WHEN snoozed = 'hide' THEN (
            SELECT pg_catalog.count(*) FROM pattern_sync.asleep(count_found.status)
        ) ELSE 0::bigint END;
    END IF;
    RETURN (SELECT pg_catalog.count(*) FROM pattern_sync.matching(count_found.status, wanted, snoozed, since));
END $$;
COMMENT ON FUNCTION pattern_sync.count_found(status text, wanted jsonb, snoozed text, since timestamp with time zone) IS 'How many entries are found.';
CREATE FUNCTION pattern_sync.count_gone() RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET lock_timeout TO '500ms'
    AS $$
BEGIN
    RETURN (
        SELECT pg_catalog.count(*)
        FROM pattern_approvals AS a
        JOIN pattern_sync.written AS w ON w.pattern_id = a.pattern_id::text COLLATE "default"
        LEFT JOIN operation_patterns AS p ON p.pattern_signature::text = a.pattern_id::text
        WHERE a.status::text = 'pending' AND p.id IS NULL
    );
END $$;
COMMENT ON FUNCTION pattern_sync.count_gone() IS 'How many pending entries of ours have lost their pattern. Entries of other programs never had one.';
CREATE FUNCTION pattern_sync.create_announce() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE pg_catalog.format(
        'CREATE OR REPLACE FUNCTION pattern_sync.announce() RETURNS trigger LANGUAGE plpgsql AS %L',
        pattern_sync.announce_body()
    );
END $$;
COMMENT ON FUNCTION pattern_sync.create_announce() IS 'Create the trigger''s function on the patterns anew, for the filter in force. That locks no table.';
CREATE FUNCTION pattern_sync.days_between(earlier timestamp with time zone, later timestamp with time zone) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT coalesce(
        pg_catalog.date_part('epoch'::text, later - earlier) / 86400::double precision, 0::double precision
    )
$$;
COMMENT ON FUNCTION pattern_sync.days_between(earlier timestamp with time zone, later timestamp with time zone) IS 'The days between two times; 0 if there is none.';
CREATE FUNCTION pattern_sync.decidable(rule_name text, signatures text[]) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
DECLARE
    own CONSTANT jsonb := (
        SELECT pg_catalog.to_jsonb(r) FROM pattern_sync.rules AS r WHERE r.name = decidable.rule_name
    );
    found text[] := pattern_sync.fitting_now(own, decidable.signatures);
    other jsonb;
BEGIN
    found := pattern_sync.without(found, pattern_sync.in_hand(found));
    found := pattern_sync.without(found, pattern_sync.largest_pending());
    FOR other IN
        SELECT pg_catalog.to_jsonb(r) FROM pattern_sync.rules AS r
        WHERE r.state IN ('watching', 'on') AND r.verdict <> own ->> 'verdict'::text
    LOOP
        EXIT WHEN pg_catalog.cardinality(found) = 0;
        found := pattern_sync.without(found, pattern_sync.fitting_now(other, found));
    END LOOP;
    RETURN found;
END $$;
COMMENT ON FUNCTION pattern_sync.decidable(rule_name text, signatures text[]) IS 'Those of some pending entries that a rule may decide now: it fits them, nobody has them in hand, they are not the largest of the queue, and no other rule that watches or is on would decide otherwise.';
CREATE FUNCTION pattern_sync.decide(signature text, decision text, reviewer text, notes text, replaces text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    made record;
BEGIN
    SELECT m.outcome, m.detail INTO STRICT made
    FROM pattern_sync.decide_many(
        ARRAY[decide.signature], decide.decision, decide.decision, decide.decision, decide.reviewer, decide.notes,
        decide.replaces, NULL, true, false
    ) AS m;
    IF made.outcome = 'refused' AND made.detail IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = made.detail, ERRCODE = 'P0001';
    END IF;
    RETURN CASE made.outcome WHEN 'decided' THEN true WHEN 'refused' THEN NULL WHEN 'busy' THEN NULL ELSE false END;
END $$;
COMMENT ON FUNCTION pattern_sync.decide(signature text, decision text, reviewer text, notes text, replaces text) IS 'Write a person''s decision, its history and the mark on the pattern in one transaction. Returns false, with nothing written, if no entry has the status to be replaced: somebody was faster, or there is no entry. Returns NULL, with nothing written, if a trigger, rule or policy of the application silently kept the decision out.';
CREATE FUNCTION pattern_sync.decide_many(signatures text[], decision text, action text, mark text, reviewer text, notes text, replaces text, seen jsonb, waits boolean, rehearsal boolean) RETURNS TABLE(batch_id bigint, place bigint, pattern_id text, outcome text, status text, reviewed_by text, reviewed_at timestamp with time zone, savings double precision, detail text)
    LANGUAGE plpgsql
    SET lock_timeout TO '800ms'
    AS $$
#variable_conflict use_column
DECLARE
    row_ids bigint[];
    recorded record;
    own record;
    taken_back text[];
    batch bigint;
    done record;
BEGIN
    IF NOT decide_many.rehearsal THEN -- before anything is locked; and what is decided carries no queue any more
        row_ids := pattern_sync.rows_of(decide_many.signatures);
        SELECT e.names, e.evidence, e.flags INTO recorded
        FROM pattern_sync.evidence_seen(decide_many.signatures, row_ids) AS e;
    END IF;
    SELECT l.free, l.locked INTO own
    FROM pattern_sync.lock_entries(
        decide_many.signatures, row_ids, decide_many.replaces, decide_many.waits, decide_many.rehearsal
    ) AS l;
    -- People win: what a rule has just decided, while this person still saw it pending, is taken back first.
    IF decide_many.replaces = 'pending' AND decide_many.decision = decide_many.action AND NOT decide_many.rehearsal
        AND pg_catalog.cardinality(own.free) < pg_catalog.cardinality(decide_many.signatures)
    THEN
        taken_back := pattern_sync.take_back(
            pattern_sync.without(decide_many.signatures, own.free), decide_many.reviewer
        );
        IF pg_catalog.cardinality(taken_back) > 0 THEN
            SELECT l.free, l.locked INTO own
            FROM pattern_sync.lock_entries(
                decide_many.signatures, row_ids, decide_many.replaces, decide_many.waits, decide_many.rehearsal
            ) AS l;
        END IF;
    END IF;
    IF pg_catalog.cardinality(own.free) > 0 AND decide_many.action <> ALL (ARRAY['approved', 'rejected']) THEN
        RAISE EXCEPTION USING
            MESSAGE = pg_catalog.quote_nullable(decide_many.action) || ' is no decision', ERRCODE = '22023';
    END IF;
    IF decide_many.rehearsal THEN
        SELECT own.free AS written, '{}'::jsonb AS refused INTO done;
    ELSIF pg_catalog.cardinality(own.free) = 0 THEN
        SELECT '{}'::text[] AS written, '{}'::jsonb AS refused INTO done;
    ELSE
        INSERT INTO pattern_sync.batches (decision, action, mark, reviewer, reason, replaces)
        VALUES (
            decide_many.decision, decide_many.action, decide_many.mark, decide_many.reviewer, decide_many.notes,
            decide_many.replaces
        )
        RETURNING id INTO batch;
        SELECT w.written, w.refused INTO done
        FROM pattern_sync.write_in_parts(batch, NULL, own.free, own.locked, decide_many.waits) AS w;
        IF pg_catalog.cardinality(done.written) > 0 THEN
            PERFORM pattern_sync.record_decisions(
                batch, done.written, decide_many.seen, recorded.names, recorded.evidence, recorded.flags
            );
            IF decide_many.decision = decide_many.action THEN
                PERFORM pattern_sync.note_human(
                    done.written, decide_many.action, decide_many.reviewer, decide_many.replaces
                );
            END IF;
            PERFORM pattern_sync.forget_batches();
        ELSE
            DELETE FROM pattern_sync.batches AS b WHERE b.id = batch;
            batch := NULL;
        END IF;
    END IF;
    RETURN QUERY
    SELECT
        CASE judged.outcome
            WHEN 'decided' THEN batch
            WHEN 'already' THEN pattern_sync.standing_batch(judged.signature)
        END,
        judged.place, judged.signature, judged.outcome,
        judged.status, pattern_sync.legible(judged.reviewed_by), judged.reviewed_at, judged.savings,
        pattern_sync.legible(judged.detail)
    FROM (
        SELECT s.*, CASE
            WHEN s.is_written THEN 'decided'
            WHEN s.is_refused THEN 'refused'
            WHEN s.status IS NULL THEN 'unknown'
            WHEN s.status = decide_many.replaces THEN 'busy'
            WHEN s.status = decide_many.decision
                AND s.reviewed_by IS NOT DISTINCT FROM decide_many.reviewer
                AND s.notes IS NOT DISTINCT FROM pattern_sync.noted_as(decide_many.action, decide_many.notes)
                THEN 'already'
            WHEN s.status = 'pending' THEN 'moved'
            ELSE 'taken'
        END AS outcome
        FROM pattern_sync.standing(decide_many.signatures, done.written, done.refused) AS s
    ) AS judged
    ORDER BY judged.place;
EXCEPTION WHEN OTHERS THEN
    IF pattern_sync.is_passing(SQLSTATE) THEN
        RAISE;
    END IF;
    RAISE EXCEPTION USING MESSAGE = SQLERRM || ' (SQLSTATE ' || SQLSTATE || ')', ERRCODE = 'P0001';
END $$;
COMMENT ON FUNCTION pattern_sync.decide_many(signatures text[], decision text, action text, mark text, reviewer text, notes text, replaces text, seen jsonb, waits boolean, rehearsal boolean) IS 'Decide some entries, each once: the status that replaces another, the action in their history, and the mark on their patterns. All that can be decided is decided in one transaction, and nothing else is touched. Returns an outcome for each, and its batch: decided; already, where this very decision stands; taken, by somebody else; busy, as somebody has locked the entry or its pattern; moved, where the entry has another status than the one to be replaced; unknown; refused, by a trigger, rule or policy of the application (without a detail: silently). A rehearsal writes nothing.';
CREATE FUNCTION pattern_sync.decide_set(batch bigint, signatures text[], row_ids bigint[]) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    many CONSTANT bigint := pg_catalog.cardinality(decide_set.signatures);
    ids CONSTANT bigint[] := coalesce(decide_set.row_ids, pattern_sync.rows_of(decide_set.signatures));
    before record;
    made record;
    marks jsonb;
    written bigint;
BEGIN
    SELECT b.* INTO STRICT made FROM pattern_sync.batches AS b WHERE b.id = decide_set.batch;
    SELECT s.names, s.states INTO before FROM pattern_sync.states_before(decide_set.signatures, ids) AS s;
    UPDATE pattern_approvals AS a
    SET
        status = (
            SELECT (pg_catalog.jsonb_populate_record(
                f.*, pg_catalog.jsonb_build_object('status', made.decision)
            )).status
            FROM pattern_approvals AS f WHERE f.pattern_id::text = decide_set.signatures[1] LIMIT 1
        ),
        reviewed_by = made.reviewer,
        reviewed_at = pg_catalog.now(),
        -- The prefix that the application's own readers expect.
        approval_notes = pattern_sync.noted_as(made.action, made.reason)
    WHERE a.pattern_id::text = ANY (decide_set.signatures) AND a.status::text = made.replaces;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < many THEN
        RAISE EXCEPTION USING MESSAGE = 'kept out', ERRCODE = 'PS001';
    END IF;
    IF made.action = 'rejected' THEN
        INSERT INTO pattern_review_history (pattern_id, action, reviewer, notes)
        SELECT noted.signature, 'rejected', made.reviewer, made.reason
        FROM pg_catalog.unnest(decide_set.signatures) AS noted (signature);
    ELSE
        INSERT INTO pattern_review_history (pattern_id, action, reviewer, notes)
        SELECT noted.signature, 'approved', made.reviewer, made.reason
        FROM pg_catalog.unnest(decide_set.signatures) AS noted (signature);
    END IF;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < many
        AND NOT pattern_sync.are_noted(decide_set.signatures, made.action, made.reviewer, made.reason)
    THEN
        RAISE EXCEPTION USING MESSAGE = 'kept out', ERRCODE = 'PS001';
    END IF;
    PERFORM pattern_sync.mark_patterns(decide_set.batch, ids);
    SELECT pg_catalog.jsonb_object_agg(p.pattern_signature::text, p.automation_status::text ORDER BY p.id::bigint DESC)
    INTO marks
    FROM operation_patterns AS p
    WHERE p.id = ANY (ids);
    IF made.action = 'rejected' THEN
        INSERT INTO pattern_sync.rejections (pattern_id)
        SELECT rejected.signature
        FROM pg_catalog.unnest(decide_set.signatures) AS rejected (signature)
        WHERE pattern_sync.eligible(marks ->> rejected.signature)
        ON CONFLICT (pattern_id) DO NOTHING;
    ELSE
        DELETE FROM pattern_sync.rejections AS r WHERE r.pattern_id = ANY (decide_set.signatures);
    END IF;
    IF pattern_sync.keep_items(decide_set.batch, made.decision, before.names, before.states, marks) < many THEN
        RAISE EXCEPTION USING MESSAGE = 'kept out', ERRCODE = 'PS001';
    END IF;
    DELETE FROM pattern_sync.snoozes AS s WHERE s.pattern_id = ANY (decide_set.signatures);
    SET CONSTRAINTS ALL IMMEDIATE; -- a deferred constraint would fail the commit, where nobody can report it
END $$;
COMMENT ON FUNCTION pattern_sync.decide_set(batch bigint, signatures text[], row_ids bigint[]) IS 'Write the decision of a batch on some entries that this transaction has locked, their history, the mark on their patterns, and what it takes to undo it. Raises PS001 if a trigger, rule or policy of the application silently keeps a part of it out; an error of any row undoes them all. `row_ids` are the locked rows of the patterns; NULL if unknown.';
CREATE FUNCTION pattern_sync.decided_state(status text, reviewer text, decided_at anyelement) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT pg_catalog.jsonb_build_object('status', status, 'reviewed_by', reviewer, 'reviewed_at', decided_at)
$$;
COMMENT ON FUNCTION pattern_sync.decided_state(status text, reviewer text, decided_at anyelement) IS 'What an undo compares with an entry: it is the batch''s own decision as long as this is what the batch wrote.';
CREATE FUNCTION pattern_sync.disagreements(rule jsonb, since timestamp with time zone, most bigint) RETURNS TABLE(pattern_id text, reviewer text, decided_at timestamp with time zone, savings double precision, notes text)
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET work_mem TO '64MB'
    AS $$
BEGIN
    RETURN QUERY
    SELECT found.pattern_id, found.reviewer, found.decided_at, found.savings, a.notes
    FROM (
        SELECT j.* FROM pattern_sync.judged(disagreements.rule, disagreements.since) AS j
        WHERE NOT j.agrees
        ORDER BY j.savings DESC, j.pattern_id
        LIMIT disagreements.most
    ) AS found
    LEFT JOIN (
        SELECT f.pattern_id::text COLLATE "default" AS pattern_id, f.approval_notes::text AS notes
        FROM pattern_approvals AS f
    ) AS a ON a.pattern_id = found.pattern_id
    ORDER BY found.savings DESC, found.pattern_id;
END $$;
COMMENT ON FUNCTION pattern_sync.disagreements(rule jsonb, since timestamp with time zone, most bigint) IS 'The decisions of people, since a time (NULL: ever), that a rule would have made otherwise, those worth most first.';
CREATE FUNCTION pattern_sync.due_marks(rule_name text, version bigint, wait_hours double precision) RETURNS TABLE(pattern_id text, since timestamp with time zone)
    LANGUAGE sql STABLE
    AS $$
    SELECT l.pattern_id, l.at
    FROM pattern_sync.rule_log AS l
    WHERE l.rule = due_marks.rule_name AND l.version = due_marks.version
      AND l.act = 'would' AND l.ended_at IS NULL
      AND l.at <= pg_catalog.clock_timestamp()
      - pg_catalog.make_interval(secs => due_marks.wait_hours * 3600::double precision)
    ORDER BY l.at, l.pattern_id
    LIMIT 10000
$$;
COMMENT ON FUNCTION pattern_sync.due_marks(rule_name text, version bigint, wait_hours double precision) IS 'The entries that a rule has marked its waiting time ago, those that have waited longest, at most 10,000.';
CREATE FUNCTION pattern_sync.eligibility(automation_status text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $_$
    SELECT pg_catalog.format($status$coalesce(%s, 'detected') = 'detected'$status$, automation_status)
$_$;
COMMENT ON FUNCTION pattern_sync.eligibility(automation_status text) IS 'Whether a machine may still queue the pattern, as SQL text like the predicate. A pattern that somebody has taken further is left to them.';
CREATE FUNCTION pattern_sync.eligible(automation_status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$SELECT coalesce(automation_status, 'detected') = 'detected'$$;
COMMENT ON FUNCTION pattern_sync.eligible(automation_status text) IS 'Whether a machine may still queue the pattern, by pattern_sync.eligibility.';
CREATE FUNCTION pattern_sync.end_marks(rule_name text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    seen CONSTANT text[] := pattern_sync.marked_by(end_marks.rule_name);
BEGIN
    UPDATE pattern_sync.rule_log AS l SET ended_at = pg_catalog.clock_timestamp()
    WHERE l.rule = end_marks.rule_name AND l.ended_at IS NULL AND l.act IN ('would', 'checked');
    PERFORM pattern_sync.tell_changes('refreshed', seen);
END $$;
COMMENT ON FUNCTION pattern_sync.end_marks(rule_name text) IS 'End the live marks of a rule, and tell the pages of those that people see.';
CREATE FUNCTION pattern_sync.entry_occurrences(occurrences bigint) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT greatest(least(coalesce(occurrences, 0), 2147483647), -2147483648)::integer
$$;
COMMENT ON FUNCTION pattern_sync.entry_occurrences(occurrences bigint) IS 'Occurrences, clamped to the INTEGER of the queue.';
CREATE FUNCTION pattern_sync.escaped_where_illegible(value text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
BEGIN
    PERFORM pg_catalog.convert_to(escaped_where_illegible.value, 'UTF8');
    RETURN escaped_where_illegible.value;
EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
    RETURN pg_catalog.encode(
        pg_catalog.convert_to(escaped_where_illegible.value, pg_catalog.getdatabaseencoding()), 'escape'
    );
END $$;
COMMENT ON FUNCTION pattern_sync.escaped_where_illegible(value text) IS 'The text itself, or its bytes if it cannot be converted to UTF-8: ASCII unchanged, other bytes escaped as \351.';
CREATE FUNCTION pattern_sync.evidence(signatures text[], row_ids bigint[]) RETURNS TABLE(signature text, readable boolean, workflows bigint, first_seen timestamp with time zone, last_seen timestamp with time zone, days_seen double precision, workflows_a_day double precision, claimed_occurrences bigint, claimed_savings double precision, cost_before double precision, cost_after double precision, savings_observed double precision, savings_by_evidence double precision, flags text[])
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET enable_nestloop TO 'off'
    SET enable_hashjoin TO 'on'
    SET plan_cache_mode TO 'force_generic_plan'
    SET lock_timeout TO '500ms'
    AS $$
DECLARE
    can_be_read boolean;
BEGIN
    BEGIN
        can_be_read := pattern_sync.examples_can_be_read();
        IF can_be_read THEN
            PERFORM FROM pattern_occurrences LIMIT 0; -- the lock that all that follows needs
        END IF;
    EXCEPTION WHEN lock_not_available THEN
        can_be_read := NULL;
    END;
    RETURN QUERY
    WITH named AS MATERIALIZED (
        -- Without a unique key several rows may share the signature: the one that `explain` shows.
        SELECT DISTINCT ON (p.signature) p.*
        FROM (
            SELECT
                f.id,
                f.signature,
                f.eligible,
                f.impact,
                f.occurrences,
                coalesce(pattern_sync.amount(f.savings), 0::numeric) AS savings,
                pattern_sync.amount(f.cost_before) AS before,
                pattern_sync.amount(f.cost_after) AS after,
                CASE
                    -- Mostly the first operation is a name, and nothing has to be put together to see that.
                    WHEN pg_catalog.jsonb_typeof(f.operations) = 'array'
                        AND pg_catalog.jsonb_typeof(f.operations -> 0) = 'string'
                        AND f.operations ->> 0 <> ''
                        THEN false
                    ELSE (SELECT has.names IS NULL FROM pattern_sync.steps(f.operations) AS has)
                END AS lacks_steps
            FROM (SELECT NULL::text AS avg_cost_with_llm, NULL::text AS avg_cost_with_tool) AS lacking
            CROSS JOIN LATERAL (
                -- The names of a cost stand alone: where the table lacks the column, they mean the NULL above.
                SELECT
                    t.id::bigint AS id,
                    t.pattern_signature::text COLLATE "default" AS signature,
                    pattern_sync.eligible(t.automation_status::text) AS eligible,
                    pattern_sync.impact(
                        t.confidence_score::double precision / 100::double precision,
                        t.occurrence_count::bigint,
                        t.potential_monthly_savings::numeric
                    ) AS impact,
                    coalesce(t.occurrence_count::bigint, 0::bigint) AS occurrences,
                    t.potential_monthly_savings::text AS savings,
                    avg_cost_with_llm::text AS cost_before,
                    avg_cost_with_tool::text AS cost_after,
                    CASE
                        WHEN pg_catalog.pg_typeof(t.typical_operations)::oid = 'pg_catalog.jsonb'::regtype::oid
                            THEN pg_catalog.to_jsonb(t.typical_operations)
                        ELSE pattern_sync.operations_of(t.typical_operations)
                    END AS operations
                FROM (
                    SELECT s.* FROM operation_patterns AS s
                    WHERE evidence.row_ids IS NULL AND s.pattern_signature::text = ANY (evidence.signatures)
                    UNION ALL
                    SELECT s.* FROM operation_patterns AS s WHERE s.id = ANY (evidence.row_ids)
                ) AS t
                OFFSET 0 -- the operations are converted once, not for each use
            ) AS f
        ) AS p
        ORDER BY p.signature, p.eligible DESC, p.impact DESC, p.id
    ),
    seen AS MATERIALIZED (
        SELECT
            n.*,
            coalesce(s.workflows, 0::bigint) AS workflows,
            s.first_seen,
            s.last_seen,
            pg_catalog.date_part('epoch'::text, s.last_seen - s.first_seen) / 86400::double precision AS days,
            CASE WHEN n.before > 0::numeric AND s.workflows > 0::bigint THEN n.before - n.after END AS saved_by_each
        FROM named AS n
        LEFT JOIN pattern_sync.sightings(ARRAY(SELECT named.id FROM named WHERE can_be_read)) AS s ON s.row_id = n.id
    )
    SELECT
        asked.signature,
        can_be_read,
        coalesce(s.workflows, 0::bigint),
        s.first_seen,
        s.last_seen,
        coalesce(s.days, 0::double precision),
        CASE WHEN s.days >= 0.5::double precision THEN s.workflows::double precision / s.days END,
        s.occurrences,
        s.savings::double precision,
        s.before::double precision,
        s.after::double precision,
        pg_catalog.round(s.saved_by_each * s.workflows::numeric, 2)::double precision,
        CASE
            WHEN s.days >= 0.5::double precision THEN pg_catalog.round(
                s.saved_by_each * s.workflows::numeric / s.days::numeric * 30::numeric, 2
            )::double precision
        END,
        pg_catalog.array_remove(
            ARRAY[
                CASE WHEN s.workflows > 0::bigint AND s.occurrences > 3::bigint * s.workflows THEN 'counted-twice' END,
                CASE WHEN s.days < 7::double precision THEN 'short-span' END,
                CASE
                    WHEN s.saved_by_each > 0::numeric AND s.savings > 0::numeric
                        AND pg_catalog.abs(s.saved_by_each * s.occurrences::numeric - s.savings)
                        <= s.savings * 0.02::numeric
                        AND s.days NOT BETWEEN 25::double precision AND 36::double precision
                        THEN 'all-time'
                END,
                CASE
                    WHEN s.before >= 0.02::numeric AND s.after > 0::numeric AND s.after < s.before
                        AND pg_catalog.abs(
                            pg_catalog.round(s.after / s.before * 20::numeric) / 20::numeric * s.before - s.after
                        ) <= 0.00005::numeric
                        THEN 'assumed-cost'
                END,
                CASE WHEN s.lacks_steps THEN 'no-steps' END,
                CASE WHEN s.last_seen < pg_catalog.now() - '30 days'::interval THEN 'gone-quiet' END,
                CASE WHEN coalesce(s.workflows, 0::bigint) = 0::bigint THEN 'nothing-recorded' END
            ],
            NULL
        )
    FROM (
        SELECT DISTINCT each.signature COLLATE "default" AS signature
        FROM pg_catalog.unnest(evidence.signatures) AS each (signature)
        WHERE each.signature IS NOT NULL
    ) AS asked
    LEFT JOIN seen AS s ON s.signature = asked.signature;
END $$;
COMMENT ON FUNCTION pattern_sync.evidence(signatures text[], row_ids bigint[]) IS 'The evidence of some patterns by signature, one row for each signature; one that no pattern has shows nothing. It changes while an entry does not: occurrences arrive, and time passes. Whoever keeps it has to ask again.';
CREATE FUNCTION pattern_sync.evidence_by_signature(signatures text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    carrier jsonb;
    recorded jsonb;
BEGIN
    IF pg_catalog.cardinality(evidence_by_signature.signatures) = 0 THEN
        RETURN '{}';
    END IF;
    carrier := (SELECT pg_catalog.to_jsonb(c) FROM pattern_sync.carrier() AS c);
    recorded := (
        SELECT pg_catalog.jsonb_object_agg(e.signature, pg_catalog.to_jsonb(e))
        FROM pattern_sync.evidence(evidence_by_signature.signatures, NULL) AS e
    );
    RETURN CASE
        WHEN recorded ? (carrier ->> 'signature'::text) THEN pg_catalog.jsonb_set(
            recorded, ARRAY[carrier ->> 'signature'::text, 'carried'], carrier
        )
        ELSE recorded
    END;
END $$;
COMMENT ON FUNCTION pattern_sync.evidence_by_signature(signatures text[]) IS 'The evidence of some patterns as one JSON object by signature, as a join with so many rows would depend on an estimate. `carried` is there for a pending entry that carries the queue.';
CREATE FUNCTION pattern_sync.evidence_seen(signatures text[], row_ids bigint[], OUT names text[], OUT evidence jsonb[], OUT flags jsonb[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    carrier text;
BEGIN
    carrier := (SELECT c.signature FROM pattern_sync.carrier() AS c);
    SELECT
        pg_catalog.array_agg(e.signature),
        pg_catalog.array_agg(pg_catalog.to_jsonb(shown)),
        pg_catalog.array_agg(pg_catalog.to_jsonb(
            CASE WHEN e.signature = carrier THEN pg_catalog.array_append(e.flags, 'carries-queue') ELSE e.flags END
        ))
    INTO names, evidence, flags
    FROM pattern_sync.evidence(evidence_seen.signatures, evidence_seen.row_ids) AS e
    CROSS JOIN LATERAL (
        SELECT
            e.readable, e.workflows, e.first_seen, e.last_seen, e.days_seen, e.workflows_a_day,
            e.claimed_occurrences, e.claimed_savings, e.cost_before, e.cost_after,
            e.savings_observed, e.savings_by_evidence
    ) AS shown;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'pattern_sync: a decision is recorded without its evidence: %', SQLERRM;
END $$;
COMMENT ON FUNCTION pattern_sync.evidence_seen(signatures text[], row_ids bigint[], OUT names text[], OUT evidence jsonb[], OUT flags jsonb[]) IS 'The evidence that a reviewer saw and its flags, beside the names. No decision fails because of it: it is null if it cannot be read.';
CREATE FUNCTION pattern_sync.examples(row_ids bigint[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    IF NOT pattern_sync.examples_can_be_read() THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT pg_catalog.jsonb_object_agg(shown.pattern_id::text, shown.sessions)
        FROM (
            SELECT ranked.pattern_id, pg_catalog.jsonb_agg(ranked.workflow_id ORDER BY ranked.place)::text AS sessions
            FROM (
                SELECT
                    o.pattern_id::bigint AS pattern_id,
                    o.workflow_id,
                    pg_catalog.row_number() OVER (
                        PARTITION BY o.pattern_id ORDER BY o.detected_at DESC NULLS LAST, o.id DESC
                    ) AS place
                FROM pattern_occurrences AS o
                WHERE o.pattern_id = ANY (examples.row_ids)
            ) AS ranked
            WHERE ranked.place <= 10::bigint
            GROUP BY ranked.pattern_id
        ) AS shown
    );
END $$;
COMMENT ON FUNCTION pattern_sync.examples(row_ids bigint[]) IS 'The example workflows of some patterns by row id, each as the JSON array that an entry holds: at most ten, newest first. The result is one JSON object, as a join with so many rows would depend on an estimate. It is NULL in an older installation without the table, and also on a large table without an index, where each call would read all of it (`status` names the index).';
CREATE FUNCTION pattern_sync.examples_can_be_read() RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    relation CONSTANT regclass := pg_catalog.to_regclass('pattern_occurrences');
BEGIN
    IF relation IS NULL OR NOT pg_catalog.has_table_privilege(relation::oid, 'SELECT') THEN
        RETURN false;
    END IF;
    RETURN pattern_sync.is_indexed('pattern_occurrences', 'pattern_id', false)
        OR pg_catalog.pg_relation_size(relation) < 10000000::bigint;
END $$;
COMMENT ON FUNCTION pattern_sync.examples_can_be_read() IS 'Whether reading the examples is cheap enough for an event.';
CREATE FUNCTION pattern_sync.executed_runs() RETURNS TABLE(signature text, workflow text, at timestamp with time zone, saved numeric, estimated numeric, success boolean, times bigint)
    LANGUAGE plpgsql STABLE
    SET work_mem TO '64MB'
    SET plan_cache_mode TO 'force_custom_plan'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
BEGIN
    IF pattern_sync.executions_fault() IS NOT NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT
        r.signature, r.workflow, pg_catalog.min(r.at),
        pg_catalog.min(CASE WHEN r.success THEN r.estimated - r.actual ELSE - r.actual END),
        pg_catalog.min(r.estimated), pg_catalog.bool_and(r.success), pg_catalog.count(*)
    FROM (SELECT NULL::text AS id) AS lacking
    CROSS JOIN LATERAL (
        SELECT
            e.pattern_id::text COLLATE "default" AS signature,
            e.workflow_id::text COLLATE "default" AS workflow,
            CASE WHEN e.workflow_id IS NULL THEN id::text END AS call,
            pattern_sync.run_time(e.executed_at::timestamptz) AS at,
            pattern_sync.amount(e.actual_cost::text) AS actual,
            pattern_sync.amount(e.estimated_cost::text) AS estimated,
            pg_catalog.lower(e.success::text) IN ('true', 't', '1') AS success
        FROM pattern_executions AS e
        OFFSET 0
    ) AS r
    GROUP BY r.signature, r.workflow, r.call, pattern_sync.second_of(r.at);
END $$;
COMMENT ON FUNCTION pattern_sync.executed_runs() IS 'The application''s executions by signature, as logged_runs. One that failed has saved nothing, and its cost is lost.';
CREATE FUNCTION pattern_sync.executions_fault() RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT pattern_sync.source_fault(
        'pattern_executions', '{pattern_id,workflow_id,actual_cost,estimated_cost,success,executed_at}'::text[],
        'executed_at'
    )
$$;
COMMENT ON FUNCTION pattern_sync.executions_fault() IS 'Why the application''s executions cannot be read; NULL if they can.';
CREATE FUNCTION pattern_sync.expected(likelihood double precision, folds boolean, worth double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE
        WHEN folds
            THEN -1::double precision
                / (1::double precision + likelihood * greatest(worth, 0::double precision))
        ELSE likelihood * greatest(worth, 0::double precision)
    END
$$;
COMMENT ON FUNCTION pattern_sync.expected(likelihood double precision, folds boolean, worth double precision) IS 'The rank of an entry by what it is expected to bring, USD a month: what folds away comes after all others, in the same order. NULL if nothing was foretold.';
CREATE FUNCTION pattern_sync.figure(value numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE
        WHEN value > '-1e30'::numeric AND value < '1e30'::numeric THEN pg_catalog.round(value, 6) ELSE 0::numeric
    END
$$;
COMMENT ON FUNCTION pattern_sync.figure(value numeric) IS 'A figure that every column of the queue can hold. NULL, infinities, NaN and absurdly large values become 0.';
CREATE FUNCTION pattern_sync.find(status text, wanted jsonb, snoozed text, since timestamp with time zone, sort text, backwards boolean, after_rank double precision, after_name text, skipped bigint, most bigint) RETURNS TABLE(pattern_id text, rank double precision)
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    IF sort = 'impact' AND NOT backwards AND wanted IS NULL AND snoozed <> 'only' AND since IS NULL
        AND find.status IS NOT NULL
    THEN
        -- By the index: with 200,000 entries a sort of all for each page takes a tenth of a second.
        RETURN QUERY
        SELECT t.pattern_id, t.impact
        FROM pattern_sync.traits AS t
        WHERE t.status = find.status
          AND (after_rank IS NULL OR t.impact <= after_rank)
          AND (after_rank IS NULL OR t.impact < after_rank OR t.pattern_id > after_name)
          AND (snoozed = 'show' OR t.pattern_id NOT IN (SELECT a.pattern_id FROM pattern_sync.asleep(find.status) AS a))
        ORDER BY t.impact DESC, t.pattern_id
        OFFSET skipped LIMIT most;
        RETURN;
    END IF;
    IF sort = 'name' AND backwards THEN
        RETURN QUERY
        SELECT m.pattern_id, '-Infinity'::double precision
        FROM pattern_sync.matching(find.status, wanted, snoozed, since) AS m
        WHERE after_name IS NULL OR m.pattern_id < after_name
        ORDER BY m.pattern_id DESC
        OFFSET skipped LIMIT most;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT ranked.pattern_id, ranked.rank
    FROM (
        SELECT
            m.pattern_id,
            coalesce(
                CASE sort
                    WHEN 'impact' THEN m.impact
                    WHEN 'evidence' THEN m.evidence
                    WHEN 'expected' THEN pattern_sync.expected(
                        said.likelihood, said.folds, coalesce(m.evidence, m.savings)
                    )
                    WHEN 'savings' THEN m.savings
                    WHEN 'confidence' THEN m.confidence
                    WHEN 'occurrences' THEN m.occurrences::double precision
                    WHEN 'workflows' THEN m.workflows::double precision
                    WHEN 'queued' THEN pg_catalog.date_part('epoch'::text, m.created_at)
                    WHEN 'reviewed' THEN pg_catalog.date_part('epoch'::text, m.reviewed_at)
                    WHEN 'last-seen' THEN pg_catalog.date_part('epoch'::text, m.last_seen)
                END * CASE WHEN backwards THEN -1::double precision ELSE 1::double precision END,
                '-Infinity'::double precision
            ) AS rank
        FROM pattern_sync.matching(find.status, wanted, snoozed, since) AS m
        -- Without the sort that needs it, the planner leaves it out.
        LEFT JOIN pattern_sync.predictions AS said ON said.pattern_id = m.pattern_id
    ) AS ranked
    WHERE after_rank IS NULL
       OR ranked.rank < after_rank
       OR (ranked.rank = after_rank AND ranked.pattern_id > after_name)
    ORDER BY ranked.rank DESC, ranked.pattern_id
    OFFSET skipped LIMIT most;
END $$;
COMMENT ON FUNCTION pattern_sync.find(status text, wanted jsonb, snoozed text, since timestamp with time zone, sort text, backwards boolean, after_rank double precision, after_name text, skipped bigint, most bigint) IS 'The names of the entries that are found, in the order of a sort, and the rank of each in it, which falls: at most `most` that follow a place (rank and name; NULL: the start), after the first `skipped`. Figures and times come largest first, names from A on, and equals by name. Backwards, figures rise and names fall; what has no value still comes last.';
CREATE FUNCTION pattern_sync.find_without_traits(status text, after_impact double precision, after_name text, most bigint) RETURNS TABLE(pattern_id text, rank double precision)
    LANGUAGE sql STABLE
    AS $$
    SELECT entry.pattern_id, entry.impact
    FROM (
        SELECT
            a.pattern_id::text COLLATE "default" AS pattern_id,
            pattern_sync.impact(
                pattern_sync.figure(a.confidence_score::text::numeric)::double precision,
                a.occurrence_count::bigint,
                pattern_sync.figure(a.estimated_savings_usd::text::numeric)
            ) AS impact
        FROM pattern_approvals AS a
        WHERE a.status::text = find_without_traits.status
    ) AS entry
    WHERE after_impact IS NULL
       OR entry.impact < after_impact
       OR (entry.impact = after_impact AND entry.pattern_id > after_name)
    ORDER BY entry.impact DESC, entry.pattern_id
    LIMIT most
$$;
COMMENT ON FUNCTION pattern_sync.find_without_traits(status text, after_impact double precision, after_name text, most bigint) IS 'The names of the first entries of a status, best impact first, from the queue itself: as long as there are no traits.';
CREATE FUNCTION pattern_sync.fitting_now(rule jsonb, signatures text[]) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
DECLARE
    carrier CONSTANT text := (SELECT c.signature FROM pattern_sync.carrier() AS c);
BEGIN
    RETURN ARRAY(
        SELECT entry.pattern_id
        FROM (
            SELECT
                a.pattern_id::text COLLATE "default" AS pattern_id,
                a.tool_sequence::text AS tool_sequence,
                (pattern_sync.figure(a.confidence_score::text::numeric) * 100::numeric)::double precision AS confidence,
                coalesce(a.occurrence_count::bigint, 0::bigint)::double precision AS occurrences,
                pattern_sync.figure(a.estimated_savings_usd::text::numeric)::double precision AS savings
            FROM pattern_approvals AS a
            WHERE a.pattern_id::text = ANY (fitting_now.signatures) AND a.status::text = 'pending'
        ) AS entry
        JOIN pattern_sync.evidence(fitting_now.signatures, NULL) AS shown ON shown.signature = entry.pattern_id
        WHERE shown.readable IS NOT NULL
          AND pattern_sync.rule_fits(
              fitting_now.rule, entry.confidence, entry.occurrences, entry.savings,
              pattern_sync.kind_of(entry.pattern_id), pattern_sync.tools_of(entry.tool_sequence),
              shown.workflows::double precision, shown.days_seen,
              CASE
                  WHEN entry.pattern_id = carrier THEN pg_catalog.array_append(shown.flags, 'carries-queue')
                  ELSE shown.flags
              END
          )
        ORDER BY entry.pattern_id
    );
END $$;
COMMENT ON FUNCTION pattern_sync.fitting_now(rule jsonb, signatures text[]) IS 'Those of some pending entries that a rule fits as they are now, with what is recorded now. One whose record cannot be read at the moment, as somebody has locked it, is left out.';
CREATE FUNCTION pattern_sync.foretold() RETURNS TABLE(lesson text, number bigint, approved boolean, reviewer text, likelihood double precision, folded boolean)
    LANGUAGE sql STABLE
    AS $$
    SELECT
        pattern_sync.lesson_of(first.pattern_id, first.batch_id, first.shown),
        first.id, first.decision = 'approved'::text, first.reviewer, first.likelihood, first.folded
    FROM (
        SELECT DISTINCT ON (d.pattern_id) d.*
        FROM pattern_sync.decisions AS d
        WHERE d.decision IN ('approved', 'rejected')
        ORDER BY d.pattern_id, d.id
    ) AS first
    WHERE first.likelihood IS NOT NULL AND first.undone_at IS NULL
$$;
COMMENT ON FUNCTION pattern_sync.foretold() IS 'What was foretold of people''s decisions that were not undone, each with a number that rises: of a pattern only the first, as the model may have learned from it afterwards. It never learns from a rule''s, which are left out. `lesson` is as by `people_decided`.';
CREATE FUNCTION pattern_sync.forget_batches() RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    old CONSTANT bigint[] := ARRAY(
        SELECT f.id FROM pattern_sync.batches AS f
        WHERE f.decided_at < pg_catalog.now() - '30 days'::interval
        ORDER BY f.decided_at
        LIMIT 10
        FOR UPDATE SKIP LOCKED
    );
BEGIN
    IF pg_catalog.cardinality(old) > 0 THEN
        DELETE FROM pattern_sync.batch_items AS i WHERE i.batch_id = ANY (old);
        DELETE FROM pattern_sync.batches AS b WHERE b.id = ANY (old);
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.forget_batches() IS 'Forget batches after 30 days. The record of their decisions stays.';
CREATE FUNCTION pattern_sync.forgive(row_ids bigint[]) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    IF EXISTS (SELECT FROM pattern_sync.refusals AS r) THEN
        -- A locked pattern is being tried by another daemon, which removes or keeps it.
        DELETE FROM pattern_sync.refusals AS r
        WHERE r.ctid = ANY (ARRAY(
            SELECT free.ctid
            FROM pg_catalog.unnest(forgive.row_ids) AS asked (id)
            CROSS JOIN LATERAL (
                SELECT f.ctid FROM pattern_sync.refusals AS f WHERE f.row_id = asked.id LIMIT 1 FOR UPDATE SKIP LOCKED
            ) AS free
        ));
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.forgive(row_ids bigint[]) IS 'Remove patterns from the quarantine.';
CREATE FUNCTION pattern_sync.freeze_message(message_id bigint, attempts integer, letter jsonb) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE pattern_sync.messages AS m SET letter = freeze_message.letter
    WHERE m.id = freeze_message.message_id AND m.attempts = freeze_message.attempts AND m.letter IS NULL;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION pattern_sync.freeze_message(message_id bigint, attempts integer, letter jsonb) IS 'Keep the text of a message for all of its attempts; false if another daemon has taken it meanwhile.';
CREATE FUNCTION pattern_sync.gather_message(message_id bigint, attempts integer, min_savings double precision, most bigint, OUT signatures text[], OUT patterns bigint, OUT savings double precision, OUT old bigint) RETURNS record
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
DECLARE
    gathering pattern_sync.messages;
BEGIN
    SELECT m.* INTO gathering
    FROM pattern_sync.messages AS m
    WHERE m.id = gather_message.message_id AND m.attempts = gather_message.attempts
    FOR UPDATE;
    IF gathering.kind = 'high_value' AND gathering.gathered_at IS NULL THEN
        INSERT INTO pattern_sync.told AS d (channel, pattern_id, message_id, savings)
        SELECT gathering.channel, u.pattern_id, gathering.id, u.savings
        FROM pattern_sync.untold(gathering.channel, gather_message.min_savings) AS u
        ON CONFLICT (channel, pattern_id) DO UPDATE
        SET message_id = EXCLUDED.message_id, savings = EXCLUDED.savings;
    END IF;
    SELECT
        (pg_catalog.array_agg(found.pattern_id ORDER BY found.worth DESC, found.pattern_id))[1:gather_message.most],
        pg_catalog.count(*),
        coalesce(pg_catalog.sum(found.worth), 0::double precision),
        pg_catalog.count(*) FILTER (WHERE found.created_at < pg_catalog.now() - '7 days'::interval)
    INTO signatures, patterns, savings, old
    FROM (
        SELECT t.pattern_id, coalesce(t.evidence, t.savings) AS worth, t.created_at
        FROM pattern_sync.traits AS t
        WHERE t.status = 'pending'
          AND CASE gathering.kind
              WHEN 'digest' THEN coalesce(t.evidence, t.savings) >= gather_message.min_savings
              ELSE EXISTS (
                  SELECT FROM pattern_sync.told AS d
                  WHERE d.message_id = gathering.id AND d.channel = gathering.channel AND d.pattern_id = t.pattern_id
              )
          END
    ) AS found;
    UPDATE pattern_sync.messages AS m
    SET gathered_at = coalesce(m.gathered_at, pg_catalog.clock_timestamp()), told = gather_message.patterns
    WHERE m.id = gathering.id;
END $$;
COMMENT ON FUNCTION pattern_sync.gather_message(message_id bigint, attempts integer, min_savings double precision, most bigint, OUT signatures text[], OUT patterns bigint, OUT savings double precision, OUT old bigint) IS 'Settle what a message tells of, at its first attempt: all that its channel was not told of yet. A digest tells of all that is worth so much. Returns the names of those worth most that are still pending, at most `most`, and of all how many there are, what they are worth together, and how many have waited for over a week.';
CREATE FUNCTION pattern_sync.gather_pauses(message_id bigint, attempts integer) RETURNS TABLE(id bigint, rule text, version bigint, verdict text, because text, at timestamp with time zone, decided bigint, taken_back bigint)
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
DECLARE
    gathered bigint[];
    standing bigint;
BEGIN
    UPDATE pattern_sync.messages AS m
    SET
        pauses = coalesce(m.pauses, ARRAY(SELECT u.id FROM pattern_sync.untold_pauses(m.channel) AS u)),
        gathered_at = coalesce(m.gathered_at, pg_catalog.clock_timestamp())
    WHERE m.id = gather_pauses.message_id AND m.attempts = gather_pauses.attempts
    RETURNING m.pauses INTO gathered;
    RETURN QUERY
    SELECT
        p.id, p.rule, p.version, p.verdict, p.because, p.at,
        pg_catalog.count(*) FILTER (WHERE l.act = 'decided'),
        pg_catalog.count(*) FILTER (WHERE l.act = 'reverted')
    FROM pattern_sync.standing_pauses() AS p
    LEFT JOIN pattern_sync.rule_log AS l
        ON l.rule = p.rule AND l.at > pg_catalog.clock_timestamp() - '7 days'::interval
    WHERE p.id = ANY (gathered)
    GROUP BY p.id, p.rule, p.version, p.verdict, p.because, p.at
    ORDER BY p.id;
    GET DIAGNOSTICS standing = ROW_COUNT;
    UPDATE pattern_sync.messages AS m SET told = standing
    WHERE m.id = gather_pauses.message_id AND m.attempts = gather_pauses.attempts;
END $$;
COMMENT ON FUNCTION pattern_sync.gather_pauses(message_id bigint, attempts integer) IS 'Settle which pauses a message tells of, at its first attempt: all that its channel was not told of yet. Returns those that still stand, the first ones first, each with how much its rule has decided within seven days, which is as long as that can be taken back, and how much was.';
CREATE FUNCTION pattern_sync.grouped(status text, wanted jsonb, snoozed text, since timestamp with time zone, facet text, most bigint) RETURNS TABLE(key text, entries bigint, savings double precision, evidence double precision, min_savings double precision, max_savings double precision, min_confidence double precision, max_confidence double precision, flags text, approved_before bigint, decided_before bigint, total bigint)
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET work_mem TO '64MB'
    AS $$
BEGIN
    RETURN QUERY
    -- Of flags there are few combinations: these are counted, and not each flag of each entry.
    WITH combined AS MATERIALIZED (
        SELECT
            m.flags,
            pg_catalog.count(*) AS entries,
            pg_catalog.sum(pg_catalog.round(m.savings * 100::double precision)) AS savings_cents,
            pg_catalog.sum(pg_catalog.round(m.evidence * 100::double precision)) AS evidence_cents,
            pg_catalog.min(m.savings) AS min_savings,
            pg_catalog.max(m.savings) AS max_savings,
            pg_catalog.min(m.confidence) AS min_confidence,
            pg_catalog.max(m.confidence) AS max_confidence
        FROM pattern_sync.matching(grouped.status, wanted, snoozed, since) AS m
        WHERE grouped.facet = 'flag'
        GROUP BY m.flags
    ),
    summed AS MATERIALIZED (
        SELECT each.*, pg_catalog.count(*) OVER () AS total
        FROM (
            SELECT
                pattern_sync.key_of(grouped.facet, m.kind, m.shape, m.target) AS key,
                pg_catalog.count(*) AS entries,
                -- In whole cents, so that the sums do not depend on the order in which a plan adds.
                pg_catalog.sum(pg_catalog.round(m.savings * 100::double precision)) AS savings_cents,
                pg_catalog.sum(pg_catalog.round(m.evidence * 100::double precision)) AS evidence_cents,
                pg_catalog.min(m.savings) AS min_savings,
                pg_catalog.max(m.savings) AS max_savings,
                pg_catalog.min(m.confidence) AS min_confidence,
                pg_catalog.max(m.confidence) AS max_confidence
            FROM pattern_sync.matching(grouped.status, wanted, snoozed, since) AS m
            WHERE grouped.facet <> 'flag'
            GROUP BY 1
            UNION ALL
            SELECT
                flag.name,
                pg_catalog.sum(c.entries)::bigint,
                pg_catalog.sum(c.savings_cents),
                pg_catalog.sum(c.evidence_cents),
                pg_catalog.min(c.min_savings),
                pg_catalog.max(c.max_savings),
                pg_catalog.min(c.min_confidence),
                pg_catalog.max(c.max_confidence)
            FROM combined AS c
            CROSS JOIN LATERAL pg_catalog.unnest(c.flags) AS flag (name)
            GROUP BY flag.name
        ) AS each
        ORDER BY each.savings_cents DESC, each.key
        LIMIT most
    ),
    flagged AS (
        SELECT each.key, pg_catalog.jsonb_object_agg(each.flag, each.entries) AS flags
        FROM (
            SELECT counted.key, flag.name AS flag, pg_catalog.sum(counted.entries)::bigint AS entries
            FROM (
                SELECT keyed.key, keyed.flags, pg_catalog.count(*) AS entries
                FROM (
                    SELECT pattern_sync.key_of(grouped.facet, m.kind, m.shape, m.target) AS key, m.flags
                    FROM pattern_sync.matching(grouped.status, wanted, snoozed, since) AS m
                    WHERE grouped.facet <> 'flag'
                ) AS keyed
                WHERE keyed.key IN (SELECT s.key FROM summed AS s)
                GROUP BY keyed.key, keyed.flags
                UNION ALL
                SELECT flag.name, c.flags, c.entries
                FROM combined AS c
                CROSS JOIN LATERAL pg_catalog.unnest(c.flags) AS flag (name)
            ) AS counted
            CROSS JOIN LATERAL pg_catalog.unnest(counted.flags) AS flag (name)
            GROUP BY counted.key, flag.name
        ) AS each
        GROUP BY each.key
    ),
    decided AS (
        SELECT
            each.key,
            pg_catalog.count(*) FILTER (WHERE each.status = 'approved') AS approved,
            pg_catalog.count(*) AS decided
        FROM (
            SELECT pattern_sync.key_of(grouped.facet, t.kind, t.shape, t.target) AS key, t.status
            FROM pattern_sync.traits AS t
            WHERE t.status IN ('approved', 'rejected') AND grouped.facet <> 'flag'
            UNION ALL
            SELECT flag.name, t.status
            FROM pattern_sync.traits AS t
            CROSS JOIN LATERAL pg_catalog.unnest(t.flags) AS flag (name)
            WHERE t.status IN ('approved', 'rejected') AND grouped.facet = 'flag'
        ) AS each
        GROUP BY each.key
    )
    SELECT
        s.key, s.entries, s.savings_cents / 100::double precision, s.evidence_cents / 100::double precision,
        s.min_savings, s.max_savings, s.min_confidence, s.max_confidence,
        f.flags::text, coalesce(d.approved, 0::bigint), coalesce(d.decided, 0::bigint), s.total
    FROM summed AS s
    LEFT JOIN flagged AS f ON f.key = s.key
    LEFT JOIN decided AS d ON d.key = s.key
    ORDER BY s.savings_cents DESC, s.key;
END $$;
COMMENT ON FUNCTION pattern_sync.grouped(status text, wanted jsonb, snoozed text, since timestamp with time zone, facet text, most bigint) IS 'The groups of what is found, by ''kind'', ''shape'', ''target'' or ''flag'': those worth most first, at most `most`, with how many there are in all. An entry with several flags is in several groups. Of each group, how many were decided before, by a person, and how many of these were approved.';
CREATE FUNCTION pattern_sync.has_few_pending() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET lock_timeout TO '500ms'
    AS $$
DECLARE
    pages bigint := (
        -- The partitions, or the table itself, which has none; a view has no pages.
        SELECT coalesce(
            pg_catalog.sum(pg_catalog.pg_relation_size(part.relid)),
            pg_catalog.pg_relation_size(pg_catalog.to_regclass('operation_patterns'))::numeric,
            0
        )::bigint / 8192::bigint
        FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass('operation_patterns')) AS part
    );
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM pattern_approvals AS a WHERE a.status::text = 'pending' OFFSET 1000::bigint + 3::bigint * pages
    );
END $$;
COMMENT ON FUNCTION pattern_sync.has_few_pending() IS 'Whether the patterns of the pending entries are better read one by one than with all others. A lookup was measured to cost as much as three pages of a scan; no statistics are asked, as they may be wrong.';
CREATE FUNCTION pattern_sync.has_more_runs(than bigint) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET max_parallel_workers_per_gather TO '0'
    SET lock_timeout TO '2s'
    AS $$
DECLARE
    counted bigint;
BEGIN
    SELECT pg_catalog.count(*) INTO counted
    FROM (SELECT FROM pattern_sync.recorded_savings LIMIT has_more_runs.than + 1) AS few;
    IF counted <= has_more_runs.than AND pattern_sync.log_fault() IS NULL THEN
        SELECT counted + pg_catalog.count(*) INTO counted
        FROM (SELECT FROM cost_savings_log LIMIT has_more_runs.than + 1) AS few;
    END IF;
    IF counted <= has_more_runs.than AND pattern_sync.executions_fault() IS NULL THEN
        SELECT counted + pg_catalog.count(*) INTO counted
        FROM (SELECT FROM pattern_executions LIMIT has_more_runs.than + 1) AS few;
    END IF;
    RETURN counted > has_more_runs.than;
END $$;
COMMENT ON FUNCTION pattern_sync.has_more_runs(than bigint) IS 'Whether more rows than this record runs. No statistics are asked, as they may be wrong.';
CREATE FUNCTION pattern_sync.has_tools(tools text[], needed text[], unwanted text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT coalesce(
        (
            SELECT pg_catalog.arraycontains(present.names, coalesce(needed, '{}'::text[]))
                AND NOT pg_catalog.arrayoverlap(present.names, coalesce(unwanted, '{}'::text[]))
            FROM (
                SELECT coalesce(pg_catalog.array_agg(pg_catalog.lower(tool)), '{}'::text[]) AS names
                FROM pg_catalog.unnest(tools) AS tool
            ) AS present
        ),
        false
    )
$$;
COMMENT ON FUNCTION pattern_sync.has_tools(tools text[], needed text[], unwanted text[]) IS 'Whether a sequence of tools has all of some and none of others, in small letters. NULL: nothing is asked for.';
CREATE FUNCTION pattern_sync.hook_events(session_ids text[]) RETURNS TABLE(id bigint, event_type text, session_id text, tool_name text, payload text, at text)
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF pg_catalog.to_regclass('hook_events') IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT
        e.id::bigint, e.event_type::text, e.session_id::text, e.tool_name::text, e.payload::text, e.timestamp::text
    FROM hook_events AS e
    WHERE e.session_id::text = ANY (hook_events.session_ids)
      AND e.event_type::text IN ('PreToolUse', 'PostToolUse', 'PostToolUseFailure');
END $$;
COMMENT ON FUNCTION pattern_sync.hook_events(session_ids text[]) IS 'The events of calls in some sessions of the application; none without that table.';
CREATE FUNCTION pattern_sync.hook_sessions() RETURNS TABLE(session_id text, events bigint, last_event_at text)
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF pg_catalog.to_regclass('hook_events') IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT e.session_id::text, pg_catalog.count(*), pg_catalog.max(e.timestamp)::text
    FROM hook_events AS e
    WHERE e.session_id IS NOT NULL AND e.event_type::text IN ('PreToolUse', 'PostToolUse', 'PostToolUseFailure')
    GROUP BY e.session_id::text;
END $$;
COMMENT ON FUNCTION pattern_sync.hook_sessions() IS 'The sessions of the application''s hook events, each with the number of its events and the time of the last one as text: without a zone it is in UTC, which agents'' hooks write. No row in a database without that table.';
CREATE FUNCTION pattern_sync.impact(confidence double precision, occurrences bigint, savings numeric) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
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
COMMENT ON FUNCTION pattern_sync.impact(confidence double precision, occurrences bigint, savings numeric) IS 'The impact, by which the queue is ordered: confidence (0 to 1) x occurrences x monthly savings. Infinities, NaN and absurdly large values count as 0: DOUBLE PRECISION raises an error on overflow, and one absurd row would stop every sweep.';
CREATE FUNCTION pattern_sync.in_hand(signatures text[]) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT d.pattern_id FROM pattern_sync.decisions AS d WHERE d.pattern_id = ANY (in_hand.signatures)
        UNION
        SELECT h.pattern_id::text COLLATE "default" FROM pattern_review_history AS h
        WHERE h.pattern_id::text = ANY (in_hand.signatures)
        UNION
        SELECT v.pattern_id FROM pattern_sync.rule_log AS v
        WHERE v.pattern_id = ANY (in_hand.signatures) AND v.act IN ('vetoed', 'reverted')
        UNION
        SELECT s.pattern_id FROM pattern_sync.snoozes AS s
        JOIN pattern_sync.traits AS t ON t.pattern_id = s.pattern_id
        WHERE s.pattern_id = ANY (in_hand.signatures)
          AND pattern_sync.is_asleep(s.until, s.until_savings, t.savings)
    );
END $$;
COMMENT ON FUNCTION pattern_sync.in_hand(signatures text[]) IS 'Those of some patterns that a person has in hand, so that no rule decides them: somebody has decided, commented or queued them, wants to see them later, has objected or taken a rule''s decision back.';
CREATE FUNCTION pattern_sync.insert_entries(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[], known_missing boolean) RETURNS text[]
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    shown CONSTANT jsonb := pattern_sync.examples(insert_entries.row_ids);
    wanted text[];
    queued text[];
BEGIN
    WITH fresh AS MATERIALIZED (
        SELECT f.* FROM pattern_sync.new_entries(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types,
            insert_entries.row_ids, shown
        ) AS f
        -- Otherwise the application's own triggers would run for an entry that exists.
        WHERE insert_entries.known_missing
           OR NOT EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id::text = f.signature)
        ORDER BY f.signature
    ),
    inserted AS (
        INSERT INTO pattern_approvals (
            pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,
            tool_sequence, pattern_context, example_sessions
        )
        SELECT
            fresh.signature, 'pending', fresh.confidence_score, fresh.occurrence_count, fresh.estimated_savings_usd,
            fresh.tool_sequence, fresh.pattern_context, fresh.example_sessions
        FROM fresh
        ON CONFLICT (pattern_id) DO NOTHING
        RETURNING pattern_id::text AS signature
    ),
    remembered AS (
        INSERT INTO pattern_sync.written AS w (pattern_id, confidence, occurrences, savings)
        SELECT fresh.signature, fresh.confidence, fresh.occurrences, fresh.savings
        FROM fresh
        WHERE (fresh.signature IN (SELECT inserted.signature FROM inserted)) IS TRUE -- hashed, never a join
        ON CONFLICT (pattern_id) DO UPDATE
        SET confidence = EXCLUDED.confidence, occurrences = EXCLUDED.occurrences, savings = EXCLUDED.savings
    )
    SELECT
        pg_catalog.array_agg(fresh.signature ORDER BY fresh.place),
        pg_catalog.array_agg(fresh.signature ORDER BY fresh.place)
            FILTER (WHERE fresh.signature IN (SELECT inserted.signature FROM inserted))
    INTO wanted, queued
    FROM fresh;
    -- Read again: an entry that somebody else has queued meanwhile is in the queue as well.
    IF coalesce(pg_catalog.cardinality(queued), 0) < pg_catalog.cardinality(wanted) AND EXISTS (
        SELECT
        FROM pg_catalog.unnest(wanted) AS kept_out (signature)
        LEFT JOIN LATERAL (
            SELECT f.pattern_id FROM pattern_approvals AS f WHERE f.pattern_id::text = kept_out.signature LIMIT 1
        ) AS a ON true
        WHERE a.pattern_id IS NULL
    ) THEN
        RAISE EXCEPTION 'the application''s own trigger or rule kept it out' USING ERRCODE = 'PS001';
    END IF;
    RETURN coalesce(queued, '{}');
END $$;
COMMENT ON FUNCTION pattern_sync.insert_entries(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[], known_missing boolean) IS 'Queue some patterns that have no entry, and remember the figures that were written. Returns the signatures that it has queued, in the given order. Rows are written in key order, so that two daemons cannot deadlock.';
CREATE FUNCTION pattern_sync.install_trigger(relation regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION pattern_sync.install_trigger(relation regclass) IS 'Mend the faults of one table''s triggers. The lock waits for current writers and blocks later ones, so a table without a fault is not locked. The faults are read again under the lock, as another session may have mended them first.';
CREATE FUNCTION pattern_sync.is_asleep(until timestamp with time zone, until_savings double precision, savings double precision) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT coalesce(until > pg_catalog.now(), true)
        AND coalesce(savings < until_savings, true)
        AND (until IS NOT NULL OR until_savings IS NOT NULL)
$$;
COMMENT ON FUNCTION pattern_sync.is_asleep(until timestamp with time zone, until_savings double precision, savings double precision) IS 'Whether somebody''s wish to see an entry later still holds: until a time, or until the savings reach an amount.';
CREATE FUNCTION pattern_sync.is_candidate(pattern anyelement, min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[]) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$SELECT coalesce(pattern.automation_status::text, 'detected') = 'detected' AND coalesce(pattern.potential_monthly_savings::numeric, 0) >= coalesce(min_savings, '-1e309') AND coalesce(pattern.potential_monthly_savings::numeric, 0) < 'Infinity'
       AND coalesce(pattern.confidence_score::double precision, 0) >= coalesce(min_confidence, '-1.7976931348623157e308') AND coalesce(pattern.confidence_score::double precision, 0) < 'Infinity'
       AND coalesce(pattern.occurrence_count::bigint, 0) >= coalesce(min_occurrences, coalesce(pattern.occurrence_count::bigint, 0))
       AND (pg_catalog.cardinality(only_types) = 0 OR coalesce(pattern.pattern_type::text, '') = ANY (only_types))
       AND coalesce(pattern.pattern_type::text, '') <> ALL (exclude_types)$$;
COMMENT ON FUNCTION pattern_sync.is_candidate(pattern anyelement, min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[]) IS 'Whether a row of the patterns is to be queued, by pattern_sync.candidacy.';
CREATE FUNCTION pattern_sync.is_from_pattern(signature text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    RETURN EXISTS (
            SELECT FROM pattern_sync.written AS w
            WHERE w.pattern_id = is_from_pattern.signature COLLATE "default"
        )
        OR EXISTS (SELECT FROM operation_patterns AS p WHERE p.pattern_signature::text = is_from_pattern.signature);
END $$;
COMMENT ON FUNCTION pattern_sync.is_from_pattern(signature text) IS 'Whether an entry comes from a pattern: we wrote it, or the pattern exists. Other programs write entries, too.';
CREATE FUNCTION pattern_sync.is_indexed(table_name text, column_name text, uniquely boolean) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    relation CONSTANT oid := pg_catalog.to_regclass(is_indexed.table_name)::oid;
BEGIN
    RETURN EXISTS (
        SELECT
        FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = relation
          AND i.indisvalid AND i.indpred IS NULL
          AND (NOT is_indexed.uniquely OR i.indisunique AND i.indnkeyatts = 1::smallint)
          AND i.indkey[0] = (
              SELECT a.attnum FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid = relation AND a.attname = is_indexed.column_name::name
          )
    );
END $$;
COMMENT ON FUNCTION pattern_sync.is_indexed(table_name text, column_name text, uniquely boolean) IS 'Whether a column is the first column of an index or, if `uniquely`, the only column of a unique index.';
CREATE FUNCTION pattern_sync.is_looked_after(looked_at timestamp with time zone, wait_hours double precision) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce(
        looked_at > pg_catalog.clock_timestamp()
        - pg_catalog.make_interval(secs => wait_hours * 1800::double precision),
        false
    )
$$;
COMMENT ON FUNCTION pattern_sync.is_looked_after(looked_at timestamp with time zone, wait_hours double precision) IS 'Whether a daemon has looked at a rule that is on within half of its waiting time. If not, nobody could object for most of that: the daemons were down, or the clock has jumped.';
CREATE FUNCTION pattern_sync.is_noted(signature text, action text, reviewer text, notes text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT pattern_sync.are_noted(ARRAY[signature], action, reviewer, notes)
$$;
COMMENT ON FUNCTION pattern_sync.is_noted(signature text, action text, reviewer text, notes text) IS 'The same for one pattern.';
CREATE FUNCTION pattern_sync.is_off(channel text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT EXISTS (SELECT FROM pattern_sync.channels AS c WHERE c.channel = is_off.channel AND c.off_since IS NOT NULL)
$$;
COMMENT ON FUNCTION pattern_sync.is_off(channel text) IS 'Whether nothing may be sent over a channel: its receiver has refused.';
CREATE FUNCTION pattern_sync.is_one_of(value text, wanted jsonb, key text, without_key text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT (
            pattern_sync.words_of(wanted, key) IS NULL
            OR pg_catalog.lower(value) = ANY (pattern_sync.words_of(wanted, key))
        )
        AND (
            pattern_sync.words_of(wanted, without_key) IS NULL
            OR coalesce(pg_catalog.lower(value), '') <> ALL (pattern_sync.words_of(wanted, without_key))
        )
$$;
COMMENT ON FUNCTION pattern_sync.is_one_of(value text, wanted jsonb, key text, without_key text) IS 'Whether a text is, in small letters, one of the words under one key of an object and none of those under another. A key that is missing asks for nothing, here and below.';
CREATE FUNCTION pattern_sync.is_passing(code text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT pg_catalog.left(code, 2) IN ('08', '25', '40', '53', '57', '58') OR code = '55P03'
$$;
COMMENT ON FUNCTION pattern_sync.is_passing(code text) IS 'Whether an error may pass if the statement is tried again: locks, lost servers, full disks. Any other error inside a decision or a comment is a refusal by the application''s tables, triggers or policies, whatever its SQLSTATE.';
CREATE FUNCTION pattern_sync.is_seen_enough(last_seen timestamp with time zone, workflows bigint, max_age_days double precision, min_workflows bigint) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT
        (
            max_age_days IS NULL
            OR coalesce(last_seen >= pg_catalog.now() - max_age_days * '1 day'::interval, false)
        )
        AND (min_workflows IS NULL OR coalesce(workflows, 0::bigint) >= min_workflows)
$$;
COMMENT ON FUNCTION pattern_sync.is_seen_enough(last_seen timestamp with time zone, workflows bigint, max_age_days double precision, min_workflows bigint) IS 'Whether what is known of a pattern meets the last two criteria: it was seen within `max_age_days`, and in at least `min_workflows` distinct workflows. NULL sets no limit. What is not known does not meet a limit that somebody set: an operator who asks for three workflows wants to see three.';
CREATE FUNCTION pattern_sync.is_short_queue() RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM pattern_approvals OFFSET 2000);
END $$;
COMMENT ON FUNCTION pattern_sync.is_short_queue() IS 'Whether a queue is so short that its traits are brought up to date before each list, which takes milliseconds. The traits of a longer one are kept by the daemons.';
CREATE FUNCTION pattern_sync.is_so(value boolean, wanted jsonb, key text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT pg_catalog.jsonb_extract_path_text(wanted, key) IS NULL
        OR value = pg_catalog.jsonb_extract_path_text(wanted, key)::boolean
$$;
COMMENT ON FUNCTION pattern_sync.is_so(value boolean, wanted jsonb, key text) IS 'Whether something is so, or is not, as an object asks under a key.';
CREATE FUNCTION pattern_sync.is_text_of(value text, wanted jsonb, key text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT pg_catalog.jsonb_extract_path_text(wanted, key) IS NULL
        OR value = pg_catalog.jsonb_extract_path_text(wanted, key)
$$;
COMMENT ON FUNCTION pattern_sync.is_text_of(value text, wanted jsonb, key text) IS 'Whether a text is the one under a key of an object.';
CREATE FUNCTION pattern_sync.is_within(value double precision, wanted jsonb, least_key text, most_key text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT (
            pg_catalog.jsonb_extract_path_text(wanted, least_key) IS NULL
            OR value >= pg_catalog.jsonb_extract_path_text(wanted, least_key)::double precision
        )
        AND (
            pg_catalog.jsonb_extract_path_text(wanted, most_key) IS NULL
            OR value <= pg_catalog.jsonb_extract_path_text(wanted, most_key)::double precision
        )
$$;
COMMENT ON FUNCTION pattern_sync.is_within(value double precision, wanted jsonb, least_key text, most_key text) IS 'Whether a figure is at least the one under one key of an object, and at most the one under another.';
CREATE FUNCTION pattern_sync.judged(rule jsonb, since timestamp with time zone) RETURNS TABLE(pattern_id text, agrees boolean, reviewer text, decided_at timestamp with time zone, lesson text, savings double precision)
    LANGUAGE sql STABLE
    AS $$
    SELECT
        d.pattern_id,
        d.approved = (pg_catalog.jsonb_extract_path_text(judged.rule, 'verdict') = 'approve'::text),
        d.reviewer, d.decided_at, d.lesson, d.savings
    FROM pattern_sync.people_decided() AS d
    WHERE (judged.since IS NULL OR d.decided_at >= judged.since)
      AND pattern_sync.rule_fits(
          judged.rule, d.confidence, d.occurrences::double precision, d.savings, d.kind,
          pattern_sync.tools_of(d.shape), d.workflows::double precision, d.days_seen, d.flags
      )
$$;
COMMENT ON FUNCTION pattern_sync.judged(rule jsonb, since timestamp with time zone) IS 'What people have decided of all that a rule would have, since a time (NULL: ever).';
CREATE FUNCTION pattern_sync.keep_items(batch bigint, decision text, names text[], states jsonb[], marks jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    written bigint;
BEGIN
    INSERT INTO pattern_sync.batch_items (batch_id, pattern_id, before, after)
    SELECT
        keep_items.batch, a.pattern_id::text, was.state,
        pg_catalog.jsonb_build_object(
            'entry', pattern_sync.decided_state(a.status::text, a.reviewed_by::text, a.reviewed_at),
            'mark', keep_items.marks -> a.pattern_id::text
        )
    FROM pattern_approvals AS a
    JOIN ROWS FROM (
        pg_catalog.unnest(keep_items.names), pg_catalog.unnest(keep_items.states)
    ) AS was (signature, state) ON was.signature COLLATE "C" = a.pattern_id::text COLLATE "C"
    WHERE a.pattern_id::text = ANY (keep_items.names) AND a.status::text = keep_items.decision;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END $$;
COMMENT ON FUNCTION pattern_sync.keep_items(batch bigint, decision text, names text[], states jsonb[], marks jsonb) IS 'Keep what it takes to undo the decision of a batch on some entries, by what they were. Returns of how many: only a status that can be read back is a decision, as a trigger may have changed it.';
CREATE FUNCTION pattern_sync.keep_model(replaced bigint, lessons bigint, model text, digest text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    kept bigint;
BEGIN
    IF NOT pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('model')::integer
    ) OR (SELECT pg_catalog.max(m.id) FROM pattern_sync.models AS m) IS DISTINCT FROM keep_model.replaced THEN
        RETURN NULL;
    END IF;
    INSERT INTO pattern_sync.models (lessons, model, digest, shown)
    VALUES (keep_model.lessons, keep_model.model, keep_model.digest, pattern_sync.shows_likelihoods())
    RETURNING id INTO kept;
    RETURN kept;
END $$;
COMMENT ON FUNCTION pattern_sync.keep_model(replaced bigint, lessons bigint, model text, digest text) IS 'Keep a model that was learned from so many lessons, in place of the one with this id (NULL: none). Returns its id; NULL if another daemon has kept one meanwhile, or is doing so. Whether likelihoods are shown stays until the gate is looked at.';
CREATE FUNCTION pattern_sync.keep_predictions(model bigint, signatures text[], likelihoods double precision[], folds boolean[], versions bigint[]) RETURNS boolean
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    IF NOT pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('predictions')::integer
    ) THEN
        RETURN false;
    END IF;
    INSERT INTO pattern_sync.predictions AS p (pattern_id, model_id, likelihood, folds, traits_version)
    SELECT said.pattern_id, keep_predictions.model, said.likelihood, said.folds, said.version
    FROM ROWS FROM (
        pg_catalog.unnest(keep_predictions.signatures),
        pg_catalog.unnest(keep_predictions.likelihoods),
        pg_catalog.unnest(keep_predictions.folds),
        pg_catalog.unnest(keep_predictions.versions)
    ) AS said (pattern_id, likelihood, folds, version)
    ON CONFLICT (pattern_id) DO UPDATE
    SET
        model_id = EXCLUDED.model_id, likelihood = EXCLUDED.likelihood, folds = EXCLUDED.folds,
        traits_version = EXCLUDED.traits_version
    WHERE p.model_id <= EXCLUDED.model_id;
    RETURN true;
END $$;
COMMENT ON FUNCTION pattern_sync.keep_predictions(model bigint, signatures text[], likelihoods double precision[], folds boolean[], versions bigint[]) IS 'Keep what a model foretells of some entries, in lists beside their names; what a newer one has foretold stays. Returns false, with nothing written, if another daemon is just doing so.';
CREATE FUNCTION pattern_sync.keep_savings(most bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET enable_nestloop TO 'off'
    SET enable_hashjoin TO 'on'
    SET work_mem TO '64MB'
    SET plan_cache_mode TO 'force_custom_plan'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
DECLARE
    changed bigint;
BEGIN
    IF NOT pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('savings')::integer
    ) THEN
        RETURN NULL;
    END IF;
    IF NOT pattern_sync.has_more_runs(keep_savings.most) THEN
        DELETE FROM pattern_sync.savings_kept AS k;
        DELETE FROM pattern_sync.savings_by_day AS d;
        GET DIAGNOSTICS changed = ROW_COUNT;
        RETURN changed;
    END IF;
    WITH fresh AS MATERIALIZED (SELECT r.* FROM pattern_sync.reckon_savings() AS r),
    removed AS (
        DELETE FROM pattern_sync.savings_by_day AS d
        WHERE NOT EXISTS (
            SELECT FROM fresh AS f
            WHERE f.pattern_id = d.pattern_id AND f.day = d.day AND f.part = d.part AND f.source = d.source
        )
        RETURNING 1
    ),
    written AS (
        INSERT INTO pattern_sync.savings_by_day AS d (
            pattern_id, day, part, source, runs, tried, failed, saved, last_at, repeated, superseded
        )
        SELECT f.pattern_id, f.day, f.part, f.source, f.runs, f.tried, f.failed, f.saved, f.last_at, f.repeated,
            f.superseded
        FROM fresh AS f
        LEFT JOIN pattern_sync.savings_by_day AS k
            ON k.pattern_id = f.pattern_id AND k.day = f.day AND k.part = f.part AND k.source = f.source
        WHERE k.pattern_id IS NULL
           OR k.runs <> f.runs OR k.tried <> f.tried OR k.failed <> f.failed OR k.saved <> f.saved
           OR k.repeated <> f.repeated OR k.superseded <> f.superseded OR k.last_at IS DISTINCT FROM f.last_at
        ON CONFLICT (pattern_id, day, part, source) DO UPDATE
        SET
            runs = EXCLUDED.runs, tried = EXCLUDED.tried, failed = EXCLUDED.failed, saved = EXCLUDED.saved,
            last_at = EXCLUDED.last_at, repeated = EXCLUDED.repeated, superseded = EXCLUDED.superseded
        RETURNING 1
    )
    SELECT (SELECT pg_catalog.count(*) FROM removed) + (SELECT pg_catalog.count(*) FROM written) INTO changed;
    INSERT INTO pattern_sync.savings_kept AS k (kept_at) VALUES (pg_catalog.now())
    ON CONFLICT (is_one) DO UPDATE SET kept_at = EXCLUDED.kept_at;
    RETURN changed;
END $$;
COMMENT ON FUNCTION pattern_sync.keep_savings(most bigint) IS 'Bring savings_by_day up to date if more than so many rows record runs; otherwise forget it, as it is not needed. Returns how many days were written or removed; NULL if another daemon is at it.';
CREATE FUNCTION pattern_sync.keep_traits(signatures text[], most bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET enable_nestloop TO 'off'
    SET enable_hashjoin TO 'on'
    SET work_mem TO '64MB'
    SET lock_timeout TO '2s'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$ -- a custom plan would estimate each of 200,000 names
DECLARE
    changed text[];
    written bigint;
    removed bigint;
BEGIN
    IF keep_traits.signatures IS NULL AND NOT pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('traits')::integer
    ) THEN
        RETURN NULL;
    END IF;
    changed := pattern_sync.outdated_traits(keep_traits.signatures, CASE
        WHEN EXISTS (SELECT FROM pattern_sync.traits) THEN keep_traits.most
    END);
    INSERT INTO pattern_sync.traits AS t (
        pattern_id, row_version, status, kind, target, shape, words, confidence, occurrences, savings, impact,
        evidence, workflows, first_seen, last_seen, flags, reviewed_by, reviewed_at, created_at
    )
    SELECT
        entry.pattern_id,
        CASE WHEN shown.readable IS NULL THEN '' ELSE entry.row_version END, -- locked just now: soon once more
        entry.status,
        pattern_sync.kind_of(entry.pattern_id),
        pattern_sync.target_of(entry.pattern_id),
        pattern_sync.shape_of(entry.tool_sequence),
        pg_catalog.lower(pg_catalog.left(
            pg_catalog.concat_ws(E'\n', entry.pattern_id, entry.tool_sequence, entry.pattern_context), 2000
        )),
        entry.confidence,
        entry.occurrences,
        entry.savings,
        pattern_sync.impact(entry.confidence, entry.occurrences, entry.savings::numeric),
        shown.savings_by_evidence,
        coalesce(shown.workflows, 0::bigint),
        shown.first_seen,
        shown.last_seen,
        coalesce(shown.flags, '{}'::text[]),
        entry.reviewed_by,
        entry.reviewed_at,
        entry.created_at
    FROM (
        SELECT
            a.pattern_id::text COLLATE "default" AS pattern_id,
            pg_catalog.concat(a.xmin::text, a.ctid::text) AS row_version,
            coalesce(a.status::text, '') AS status,
            a.tool_sequence::text AS tool_sequence,
            a.pattern_context::text AS pattern_context,
            pattern_sync.figure(a.confidence_score::text::numeric)::double precision AS confidence,
            coalesce(a.occurrence_count::bigint, 0::bigint) AS occurrences,
            pattern_sync.figure(a.estimated_savings_usd::text::numeric)::double precision AS savings,
            a.reviewed_by::text AS reviewed_by,
            pattern_sync.moment(a.reviewed_at::timestamptz) AS reviewed_at,
            pattern_sync.moment(a.created_at::timestamptz) AS created_at
        FROM pattern_approvals AS a
        WHERE a.pattern_id::text = ANY (changed)
    ) AS entry
    LEFT JOIN pattern_sync.evidence(changed, NULL) AS shown ON shown.signature = entry.pattern_id
    ORDER BY entry.pattern_id -- two daemons wait for each other in one order
    ON CONFLICT (pattern_id) DO UPDATE
    SET
        row_version = EXCLUDED.row_version,
        status = EXCLUDED.status,
        shape = EXCLUDED.shape,
        words = EXCLUDED.words,
        confidence = EXCLUDED.confidence,
        occurrences = EXCLUDED.occurrences,
        savings = EXCLUDED.savings,
        impact = EXCLUDED.impact,
        evidence = EXCLUDED.evidence,
        workflows = EXCLUDED.workflows,
        first_seen = EXCLUDED.first_seen,
        last_seen = EXCLUDED.last_seen,
        flags = EXCLUDED.flags,
        reviewed_by = EXCLUDED.reviewed_by,
        reviewed_at = EXCLUDED.reviewed_at,
        created_at = EXCLUDED.created_at,
        changed_at = pg_catalog.clock_timestamp();
    GET DIAGNOSTICS written = ROW_COUNT;
    IF keep_traits.signatures IS NULL THEN
        DELETE FROM pattern_sync.traits AS t
        WHERE t.pattern_id IN (
            SELECT known.pattern_id
            FROM pattern_sync.traits AS known
            LEFT JOIN pattern_approvals AS a ON a.pattern_id::text COLLATE "default" = known.pattern_id
            WHERE a.pattern_id IS NULL
        );
    ELSE
        DELETE FROM pattern_sync.traits AS t
        WHERE t.pattern_id = ANY (keep_traits.signatures)
          AND t.pattern_id <> ALL (ARRAY(
              SELECT a.pattern_id::text FROM pattern_approvals AS a
              WHERE a.pattern_id::text = ANY (keep_traits.signatures)
          ));
    END IF;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN written + removed;
END $$;
COMMENT ON FUNCTION pattern_sync.keep_traits(signatures text[], most bigint) IS 'Bring the traits of some entries up to date, or of all (NULL), at most `most` of them. Returns how many were written or removed; NULL if another daemon is at work on all of them.';
CREATE FUNCTION pattern_sync.key_of(facet text, kind text, shape text, target text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE facet WHEN 'kind' THEN kind WHEN 'shape' THEN shape ELSE target END
$$;
COMMENT ON FUNCTION pattern_sync.key_of(facet text, kind text, shape text, target text) IS 'What an entry is grouped by, which is one of its traits.';
CREATE FUNCTION pattern_sync.kind_of(signature text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $_$
    SELECT CASE
        WHEN pg_catalog.textregexeq(signature, '^[0-9a-f]{16}$') THEN '-'
        WHEN pg_catalog.strpos(signature, ':') = 0 THEN signature
        ELSE pg_catalog.split_part(signature, ':', 1) || ':' || pg_catalog.split_part(signature, ':', 2)
    END
$_$;
COMMENT ON FUNCTION pattern_sync.kind_of(signature text) IS 'The kind of a pattern: the first two parts of its name. A name without parts is its own kind; the application''s detector of whole sessions names patterns by a digest, which has none.';
CREATE FUNCTION pattern_sync.lacking(table_name text, needed text[]) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT pg_catalog.string_agg(n.name, ', ' ORDER BY n.place)
    FROM pg_catalog.unnest(lacking.needed) WITH ORDINALITY AS n (name, place)
    LEFT JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = pg_catalog.to_regclass(lacking.table_name)::oid AND a.attname::text = n.name COLLATE "C" AND NOT a.attisdropped
    WHERE a.attname IS NULL
$$;
COMMENT ON FUNCTION pattern_sync.lacking(table_name text, needed text[]) IS 'Which of some columns a table lacks; NULL if none.';
CREATE FUNCTION pattern_sync.largest_pending() RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT ranked.pattern_id
        FROM (
            SELECT
                a.pattern_id::text AS pattern_id,
                pg_catalog.rank() OVER (
                    ORDER BY pattern_sync.figure(a.estimated_savings_usd::text::numeric) DESC
                ) AS place
            FROM pattern_approvals AS a
            WHERE a.status::text = 'pending'
        ) AS ranked
        WHERE ranked.place = 1::bigint
    );
END $$;
COMMENT ON FUNCTION pattern_sync.largest_pending() IS 'The pending entries, mostly one, that claim the largest savings of the queue.';
CREATE FUNCTION pattern_sync.legible(value text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT CASE
        WHEN pg_catalog.getdatabaseencoding() = 'UTF8'::name THEN value
        ELSE pattern_sync.escaped_where_illegible(value)
    END
$$;
COMMENT ON FUNCTION pattern_sync.legible(value text) IS 'The text in a form that every client can read. A SQL_ASCII database stores any bytes, and other encodings have characters that UTF-8 lacks. One such row would turn every answer that contains it into an error.';
CREATE FUNCTION pattern_sync.lesson_of(signature text, batch bigint, shown jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT coalesce(batch::text || ' ' || pg_catalog.jsonb_extract_path_text(shown, 'traits', 'shape'), signature)
$$;
COMMENT ON FUNCTION pattern_sync.lesson_of(signature text, batch bigint, shown jsonb) IS 'The lesson of a decision, with what was seen: the same for those that teach the same, as they are of one batch and on one shape.';
CREATE FUNCTION pattern_sync.list(status text, wanted jsonb, snoozed text, since timestamp with time zone, sort text, backwards boolean, after_rank double precision, after_name text, skipped bigint, most bigint) RETURNS TABLE(pattern_id text, rank double precision)
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT pattern_sync.prepare_to_find(false)
        OR (
            list.status IS NOT NULL AND wanted IS NULL AND snoozed = 'show' AND since IS NULL
            AND sort = 'impact' AND NOT backwards AND skipped = 0::bigint
            AND NOT pattern_sync.may_keep_traits() AND pattern_sync.is_short_queue()
        )
    THEN
        RETURN QUERY SELECT f.pattern_id, f.rank
        FROM pattern_sync.find_without_traits(list.status, after_rank, after_name, most) AS f;
        RETURN;
    END IF;
    RETURN QUERY SELECT f.pattern_id, f.rank
    FROM pattern_sync.find(
        list.status, wanted, snoozed, since, sort, backwards, after_rank, after_name, skipped, most
    ) AS f;
END $$;
COMMENT ON FUNCTION pattern_sync.list(status text, wanted jsonb, snoozed text, since timestamp with time zone, sort text, backwards boolean, after_rank double precision, after_name text, skipped bigint, most bigint) IS 'The same as `find`, of traits that are as new as can be had. Without any, the entries of a status are found without them, best impact first; so are those of a short queue for whoever may only read, as others'' traits may be behind.';
CREATE FUNCTION pattern_sync.lock_entries(signatures text[], row_ids bigint[], status text, waits boolean, rehearsal boolean, OUT free text[], OUT locked bigint[]) RETURNS record
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
DECLARE
    ids bigint[] := lock_entries.row_ids;
BEGIN
    IF lock_entries.rehearsal THEN
        free := ARRAY(
            SELECT a.pattern_id::text FROM pattern_approvals AS a
            WHERE a.pattern_id::text = ANY (lock_entries.signatures) AND a.status::text = lock_entries.status
            ORDER BY a.pattern_id::text
        );
        RETURN;
    END IF;
    IF lock_entries.waits THEN
        PERFORM FROM pattern_approvals AS a
        WHERE a.pattern_id::text = ANY (lock_entries.signatures) AND a.status::text = lock_entries.status
        ORDER BY a.pattern_id::text
        FOR NO KEY UPDATE;
    END IF;
    free := ARRAY(
        SELECT own.signature FROM (
            SELECT a.pattern_id::text AS signature FROM pattern_approvals AS a
            WHERE a.pattern_id::text = ANY (lock_entries.signatures) AND a.status::text = lock_entries.status
            ORDER BY a.pattern_id::text
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS own
    );
    -- After a wait the rows may be others; of a part, only its own rows are locked.
    IF ids IS NULL OR lock_entries.waits
        OR pg_catalog.cardinality(free) < pg_catalog.cardinality(lock_entries.signatures)
    THEN
        ids := pattern_sync.rows_of(free);
    END IF;
    IF lock_entries.waits THEN
        PERFORM FROM operation_patterns AS p
        WHERE p.id = ANY (ids)
        ORDER BY p.id
        FOR NO KEY UPDATE;
    END IF;
    SELECT l.free, l.locked INTO free, locked FROM pattern_sync.lock_patterns(free, ids) AS l;
END $$;
COMMENT ON FUNCTION pattern_sync.lock_entries(signatures text[], row_ids bigint[], status text, waits boolean, rehearsal boolean, OUT free text[], OUT locked bigint[]) IS 'Lock those of some entries that have a status, and their patterns; return the ones that this transaction has locked now, in key order, and the locked rows of their patterns. The others are skipped, unless it `waits`. A rehearsal locks nothing. `row_ids` are the rows of all these patterns, as far as known.';
CREATE FUNCTION pattern_sync.lock_patterns(signatures text[], row_ids bigint[], OUT free text[], OUT locked bigint[]) RETURNS record
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    locked := ARRAY(
        SELECT l.id
        FROM (
            SELECT p.id::bigint AS id FROM operation_patterns AS p
            WHERE p.id = ANY (lock_patterns.row_ids) AND p.pattern_signature::text = ANY (lock_patterns.signatures)
            ORDER BY p.id
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS l
    );
    free := lock_patterns.signatures;
    IF pg_catalog.cardinality(locked) < pg_catalog.cardinality(lock_patterns.row_ids) THEN
        free := pattern_sync.without(free, ARRAY(
            SELECT p.pattern_signature::text FROM operation_patterns AS p
            WHERE p.id = ANY (ARRAY(
                SELECT one.id FROM pg_catalog.unnest(lock_patterns.row_ids) AS one (id)
                EXCEPT
                SELECT other.id FROM pg_catalog.unnest(locked) AS other (id)
            ))
        ));
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.lock_patterns(signatures text[], row_ids bigint[], OUT free text[], OUT locked bigint[]) IS 'Those of some patterns that nobody has locked, in key order, and the ids of their rows; the others are left out at once. They stay locked until the transaction ends. A pattern without a row is free. The ids are looked up by the caller; a row that has got another name since is left alone.';
CREATE FUNCTION pattern_sync.log_fault() RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT pattern_sync.source_fault(
        'cost_savings_log', '{pattern_id,workflow_id,cost_saved_usd,saved_at}'::text[], 'saved_at'
    )
$$;
COMMENT ON FUNCTION pattern_sync.log_fault() IS 'Why the application''s log of savings cannot be read; NULL if it can.';
CREATE FUNCTION pattern_sync.logged_runs() RETURNS TABLE(reference text, workflow text, at timestamp with time zone, saved numeric, times bigint)
    LANGUAGE plpgsql STABLE
    SET work_mem TO '64MB'
    SET plan_cache_mode TO 'force_custom_plan'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
BEGIN
    IF pattern_sync.log_fault() IS NOT NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT r.reference, r.workflow, pg_catalog.min(r.at), pg_catalog.min(r.saved), pg_catalog.count(*)
    FROM (SELECT NULL::text AS tool_call_id, NULL::text AS id) AS lacking
    CROSS JOIN LATERAL (
        -- The names of a tool call and of an id stand alone: where the table lacks the column, they mean the NULL above.
        SELECT
            l.pattern_id::text AS reference,
            l.workflow_id::text AS workflow,
            coalesce(tool_call_id::text, CASE WHEN l.workflow_id IS NULL THEN id::text END) AS call,
            pattern_sync.run_time(l.saved_at::timestamptz) AS at,
            pattern_sync.amount(l.cost_saved_usd::text) AS saved
        FROM cost_savings_log AS l
        OFFSET 0 -- each is converted once
    ) AS r
    GROUP BY r.reference, r.workflow, r.call, pattern_sync.second_of(r.at);
END $$;
COMMENT ON FUNCTION pattern_sync.logged_runs() IS 'The runs of the application''s log, by the row ids of their patterns, with the number of rows that say each. Amounts go through text: a REAL is what it shows, 0.1 and not 0.100000001. What is no plain number is NULL.';
CREATE FUNCTION pattern_sync.look(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[]) RETURNS TABLE(place bigint, row_id bigint, signature text, state text)
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    RETURN QUERY
    SELECT
        asked.place,
        p.id::bigint,
        p.pattern_signature::text,
        CASE
            WHEN a.pattern_id IS NULL AND r.pattern_id IS NULL AND p.is_candidate THEN 'missing'
            WHEN a.pattern_id IS NULL THEN 'short'
            WHEN a.status::text <> 'pending' THEN 'decided'
            WHEN m.any_moved THEN 'stale'
            ELSE 'unchanged'
        END
    FROM pg_catalog.unnest(look.row_ids) WITH ORDINALITY AS asked (id, place)
    CROSS JOIN LATERAL (
        SELECT
            f.id, f.pattern_signature, f.confidence_score, f.occurrence_count, f.potential_monthly_savings,
            pattern_sync.is_candidate(
                f.*, min_confidence, min_occurrences, min_savings, only_types, exclude_types
            ) AS is_candidate
        FROM operation_patterns AS f WHERE f.id = asked.id LIMIT 1
    ) AS p
    LEFT JOIN LATERAL (
        SELECT f.pattern_id, f.status FROM pattern_approvals AS f
        WHERE f.pattern_id::text = p.pattern_signature::text LIMIT 1
    ) AS a ON true
    LEFT JOIN LATERAL (
        SELECT f.* FROM pattern_sync.written AS f
        WHERE f.pattern_id = p.pattern_signature::text COLLATE "default" LIMIT 1
    ) AS w ON true
    CROSS JOIN LATERAL pattern_sync.moves(
        w.pattern_id, w.confidence, w.occurrences, w.savings,
        p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
    ) AS m
    LEFT JOIN LATERAL (
        SELECT f.pattern_id FROM pattern_sync.rejections AS f
        WHERE f.pattern_id = p.pattern_signature::text COLLATE "default" LIMIT 1
    ) AS r ON true
    ORDER BY asked.place;
END $$;
COMMENT ON FUNCTION pattern_sync.look(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[]) IS 'The state of some patterns, in the given order: missing (to be queued), stale (to be refreshed), unchanged, decided or short. An entry is stale if the source has moved since we last wrote it.';
CREATE FUNCTION pattern_sync.look_at_rule(rule_name text, version bigint) RETURNS TABLE(unseen_hours double precision, taken_back bigint, flagged bigint, due bigint)
    LANGUAGE plpgsql
    AS $$
DECLARE
    own pattern_sync.rules;
BEGIN
    SELECT r.* INTO own
    FROM pattern_sync.rules AS r
    WHERE r.name = look_at_rule.rule_name AND r.version = look_at_rule.version AND r.state = 'on'
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE pattern_sync.rules AS r SET looked_at = pg_catalog.clock_timestamp()
    WHERE r.name = own.name AND pattern_sync.is_looked_after(r.looked_at, r.wait_hours);
    RETURN QUERY
    SELECT
        coalesce(
            pg_catalog.date_part('epoch'::text, pg_catalog.clock_timestamp() - own.looked_at)
            / 3600::double precision,
            0::double precision
        ),
        pg_catalog.count(*) FILTER (
            WHERE l.act = 'reverted' AND l.human IS DISTINCT FROM pattern_sync.action_of(own.verdict)
        ),
        pg_catalog.count(*) FILTER (
            WHERE l.act = 'decided' AND own.verdict = 'approve' AND NOT pattern_sync.are_allowed(
                pg_catalog.array_remove(t.flags, 'gone-quiet'::text),
                pg_catalog.array_cat(
                    own.allow_flags, coalesce(pattern_sync.words_of(l.figures, 'flags'), '{}'::text[])
                )
            )
        ),
        (SELECT pg_catalog.count(*) FROM pattern_sync.due_marks(own.name, own.version, own.wait_hours))
    FROM pattern_sync.rule_log AS l
    LEFT JOIN pattern_sync.traits AS t ON t.pattern_id = l.pattern_id
    WHERE l.rule = own.name
      AND l.act IN ('decided', 'reverted')
      AND l.at > greatest(own.changed_at, pg_catalog.clock_timestamp() - '30 days'::interval);
END $$;
COMMENT ON FUNCTION pattern_sync.look_at_rule(rule_name text, version bigint) IS 'What a rule that is on has done since it was switched on, for a look at whether it may go on: for how many hours no daemon has looked at it, how many of its decisions of the last 30 days people have taken back or turned around, how many of those that it approved have got a flag that it does not allow, and how many entries are due. Unless nobody has looked for too long, it counts as looked at now. No row if another daemon is at it, or if it is not on any more.';
CREATE FUNCTION pattern_sync.lot_of(signature text) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT (
        pg_catalog.get_byte(digest, 0)::double precision * 16777216::double precision
        + pg_catalog.get_byte(digest, 1)::double precision * 65536::double precision
        + pg_catalog.get_byte(digest, 2)::double precision * 256::double precision
        + pg_catalog.get_byte(digest, 3)::double precision
    ) / 4294967296::double precision
    FROM pg_catalog.decode(pg_catalog.left(pg_catalog.md5(signature), 8), 'hex') AS digest
$$;
COMMENT ON FUNCTION pattern_sync.lot_of(signature text) IS 'Where a pattern falls between 0 and 1, the same for ever: below a rule''s share of checks it is left to people. It depends on the name alone, so that no other rule decides what one rule is checked by.';
CREATE FUNCTION pattern_sync.mark(channel text, payload text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    INSERT INTO pattern_sync.marks (channel, payload)
    SELECT mark.channel, CASE WHEN pg_catalog.octet_length(mark.payload) < 8000 THEN mark.payload ELSE '*' END
    WHERE mark.channel IN ('pattern_sync', 'pattern_sync_queue') AND mark.payload IS NOT NULL
$$;
COMMENT ON FUNCTION pattern_sync.mark(channel text, payload text) IS 'Keep a hint in the table of marks when it cannot be sent by NOTIFY. The daemons read the marks every few seconds. Everybody may call this: it keeps no more than a notification could bring, and only for our channels.';
CREATE FUNCTION pattern_sync.mark_entries(rule_name text, version bigint, most bigint) RETURNS text[]
    LANGUAGE plpgsql
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET work_mem TO '64MB'
    AS $$
DECLARE
    own jsonb;
    fitting text[];
    seen text[];
    gone text[];
BEGIN
    SELECT pg_catalog.to_jsonb(r) INTO own
    FROM pattern_sync.rules AS r
    WHERE r.name = mark_entries.rule_name AND r.version = mark_entries.version AND r.state IN ('watching', 'on')
    FOR SHARE;
    IF own IS NULL THEN
        RETURN '{}';
    END IF;
    fitting := ARRAY(
        SELECT t.pattern_id
        FROM pattern_sync.traits AS t
        WHERE t.status = 'pending'
          AND pattern_sync.rule_fits(
              own, (t.confidence::numeric * 100::numeric)::double precision, t.occurrences::double precision,
              t.savings, t.kind, pattern_sync.tools_of(t.shape), t.workflows::double precision,
              pattern_sync.days_between(t.first_seen, t.last_seen), t.flags
          )
    );
    fitting := pattern_sync.without(fitting, pattern_sync.in_hand(fitting));
    WITH ended AS (
        UPDATE pattern_sync.rule_log AS l
        SET
            ended_at = pg_catalog.clock_timestamp(),
            human = CASE WHEN t.status IN ('approved', 'rejected') THEN t.status END
        FROM pattern_sync.rule_log AS live
        LEFT JOIN pattern_sync.traits AS t ON t.pattern_id = live.pattern_id
        LEFT JOIN pg_catalog.unnest(fitting) AS still (pattern_id) ON still.pattern_id = live.pattern_id
        WHERE live.rule = mark_entries.rule_name
          AND live.ended_at IS NULL
          AND live.act IN ('would', 'checked')
          AND still.pattern_id IS NULL
          AND l.id = live.id
        RETURNING l.pattern_id, l.act
    )
    SELECT pg_catalog.array_agg(e.pattern_id) INTO gone FROM ended AS e WHERE e.act = 'would';
    WITH marked AS (
        INSERT INTO pattern_sync.rule_log (rule, version, act, pattern_id, figures)
        SELECT
            mark_entries.rule_name,
            mark_entries.version,
            CASE
                WHEN pattern_sync.lot_of(t.pattern_id) < (own ->> 'check_share'::text)::double precision THEN 'checked'
                ELSE 'would'
            END,
            t.pattern_id,
            pg_catalog.jsonb_build_object(
                'confidence', (t.confidence::numeric * 100::numeric)::double precision,
                'occurrences', t.occurrences, 'savings', t.savings, 'kind', t.kind, 'shape', t.shape,
                'workflows', t.workflows, 'days_seen', pattern_sync.days_between(t.first_seen, t.last_seen),
                'flags', t.flags
            )
        FROM pattern_sync.traits AS t
        JOIN pg_catalog.unnest(fitting) AS wanted (pattern_id) ON wanted.pattern_id = t.pattern_id
        LEFT JOIN (
            SELECT l.pattern_id FROM pattern_sync.rule_log AS l
            WHERE l.rule = mark_entries.rule_name AND l.ended_at IS NULL AND l.act IN ('would', 'checked')
        ) AS there ON there.pattern_id = t.pattern_id
        WHERE there.pattern_id IS NULL
        ORDER BY t.impact DESC, t.pattern_id
        LIMIT mark_entries.most
        ON CONFLICT DO NOTHING -- another daemon was faster
        RETURNING rule_log.pattern_id, rule_log.act
    )
    SELECT pg_catalog.array_agg(m.pattern_id) INTO seen FROM marked AS m WHERE m.act = 'would';
    seen := pg_catalog.array_cat(coalesce(seen, '{}'::text[]), coalesce(gone, '{}'::text[]));
    IF pg_catalog.cardinality(seen) > 0 THEN
        PERFORM pattern_sync.tell_changes('refreshed', seen);
    END IF;
    RETURN seen;
END $$;
COMMENT ON FUNCTION pattern_sync.mark_entries(rule_name text, version bigint, most bigint) IS 'Bring the marks of a rule that watches or is on up to date: mark what it would decide, or leaves to people as a check, at most `most` at once; end the marks of what a person has decided, and of what does not fit any more. Returns the patterns whose mark people see, and that is new or gone; none if the rule was changed meanwhile.';
CREATE FUNCTION pattern_sync.mark_of(signature text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    RETURN (
        SELECT CASE
            WHEN pg_catalog.count(DISTINCT m.verdict COLLATE "C") = 1::bigint
                THEN (pg_catalog.array_agg(m.mark ORDER BY m.due_at, m.rule COLLATE "C"))[1]
        END
        FROM (
            SELECT l.rule, r.verdict, due.at AS due_at, pg_catalog.jsonb_build_object(
                'rule', l.rule, 'version', l.version,
                'status', pg_catalog.concat('auto-', pattern_sync.action_of(r.verdict)),
                'due_at', pg_catalog.date_part('epoch'::text, due.at)
            ) AS mark
            FROM pattern_sync.rule_log AS l
            JOIN pattern_sync.rules AS r ON r.name = l.rule
            CROSS JOIN LATERAL (
                SELECT CASE
                    WHEN r.state = 'on'
                        THEN l.at + pg_catalog.make_interval(secs => r.wait_hours * 3600::double precision)
                END AS at
            ) AS due
            WHERE l.pattern_id = mark_of.signature COLLATE "default" AND l.act = 'would' AND l.ended_at IS NULL
        ) AS m
    );
END $$;
COMMENT ON FUNCTION pattern_sync.mark_of(signature text) IS 'What rules would decide of a pending entry, as an object; NULL if none would, or two of them would not agree. The first of those that would is named; its time is null while it only watches.';
CREATE FUNCTION pattern_sync.mark_patterns(batch bigint, row_ids bigint[]) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    made record;
    code text;
    refused_by text;
    one bigint;
BEGIN
    SELECT b.* INTO STRICT made FROM pattern_sync.batches AS b WHERE b.id = mark_patterns.batch;
    UPDATE operation_patterns AS p
    SET
        automation_status = (
            SELECT (pg_catalog.jsonb_populate_record(
                f.*, pg_catalog.jsonb_build_object('automation_status', made.mark)
            )).automation_status
            FROM operation_patterns AS f WHERE f.id = mark_patterns.row_ids[1] LIMIT 1
        ),
        reviewed_by = made.reviewer,
        reviewed_at = pg_catalog.now(),
        review_notes = made.reason
    WHERE p.id = ANY (mark_patterns.row_ids);
EXCEPTION
    WHEN check_violation OR invalid_text_representation OR foreign_key_violation OR string_data_right_truncation THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, refused_by = CONSTRAINT_NAME;
    IF pg_catalog.cardinality(mark_patterns.row_ids) > 1
        AND NOT pattern_sync.takes_no_such_mark(code, refused_by)
    THEN
        FOREACH one IN ARRAY mark_patterns.row_ids LOOP
            PERFORM pattern_sync.mark_patterns(mark_patterns.batch, ARRAY[one]);
        END LOOP;
        RETURN;
    END IF;
    UPDATE operation_patterns AS p
    SET
        -- A rejected pattern must not stay marked as approved.
        automation_status = CASE p.automation_status::text
            WHEN 'approved' THEN (pg_catalog.jsonb_populate_record(
                p.*, pg_catalog.jsonb_build_object('automation_status', 'detected')
            )).automation_status
            ELSE p.automation_status
        END,
        reviewed_by = made.reviewer,
        reviewed_at = pg_catalog.now(),
        review_notes = made.reason
    WHERE p.id = ANY (mark_patterns.row_ids);
END $$;
COMMENT ON FUNCTION pattern_sync.mark_patterns(batch bigint, row_ids bigint[]) IS 'Write the mark of a batch on some patterns. If the application''s table does not allow the status there (by a CHECK, an enum, a lookup table or a length limit), the rest of the mark is still written. What refuses one row and not the other is tried row by row.';
CREATE FUNCTION pattern_sync.marked_by(rule_name text) RETURNS text[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT l.pattern_id FROM pattern_sync.rule_log AS l
        WHERE l.rule = marked_by.rule_name AND l.ended_at IS NULL AND l.act = 'would'
        ORDER BY l.pattern_id
    );
END $$;
COMMENT ON FUNCTION pattern_sync.marked_by(rule_name text) IS 'The patterns on which people see a live mark of a rule.';
CREATE FUNCTION pattern_sync.matching(status text, wanted jsonb, snoozed text, since timestamp with time zone) RETURNS TABLE(pattern_id text, kind text, target text, shape text, confidence double precision, occurrences bigint, savings double precision, impact double precision, evidence double precision, workflows bigint, last_seen timestamp with time zone, flags text[], reviewed_at timestamp with time zone, created_at timestamp with time zone)
    LANGUAGE sql STABLE
    AS $$
    SELECT
        t.pattern_id, t.kind, t.target, t.shape, t.confidence, t.occurrences,
        t.savings, t.impact, t.evidence, t.workflows,
        t.last_seen, t.flags, t.reviewed_at, t.created_at
    FROM pattern_sync.traits AS t
    WHERE (matching.status IS NULL OR t.status = matching.status)
      AND (matching.since IS NULL OR t.changed_at >= matching.since)
      AND (
          pattern_sync.containing(wanted, 'words') IS NULL
          OR t.words LIKE ALL (pattern_sync.containing(wanted, 'words'))
      )
      AND (
          pattern_sync.containing(wanted, 'without_words') IS NULL
          OR NOT t.words LIKE ANY (pattern_sync.containing(wanted, 'without_words'))
      )
      AND pattern_sync.is_one_of(pg_catalog.split_part(t.kind, ':', 1), wanted, 'type', 'not_type')
      AND pattern_sync.is_one_of(t.kind, wanted, 'kind', 'not_kind')
      AND pattern_sync.is_one_of(t.target, wanted, 'target', 'not_target')
      AND pattern_sync.is_one_of(
          pg_catalog.replace(t.shape, pattern_sync.arrow(), '->'), wanted, 'shape', 'not_shape'
      )
      AND pattern_sync.is_one_of(t.reviewed_by, wanted, 'by', 'not_by')
      AND (
          pattern_sync.words_of(wanted, 'flag') IS NULL
          OR pg_catalog.arraycontains(t.flags, pattern_sync.words_of(wanted, 'flag'))
      )
      AND (
          pattern_sync.words_of(wanted, 'not_flag') IS NULL
          OR NOT pg_catalog.arrayoverlap(t.flags, pattern_sync.words_of(wanted, 'not_flag'))
      )
      AND pattern_sync.is_so(
          pg_catalog.cardinality(pg_catalog.array_remove(t.flags, 'nothing-recorded'::text)) > 0, wanted, 'flagged'
      )
      AND (
          pg_catalog.jsonb_extract_path_text(wanted, 'carries') IS NULL
          OR pattern_sync.is_so(
              coalesce(t.pattern_id = (SELECT c.signature FROM pattern_sync.carrier() AS c), false), wanted, 'carries'
          )
      )
      AND (
          pg_catalog.jsonb_extract_path_text(wanted, 'folded') IS NULL
          OR pattern_sync.is_so(
              t.pattern_id IN (
                  SELECT p.pattern_id
                  FROM pattern_sync.predictions AS p
                  WHERE p.folds AND (SELECT pattern_sync.shows_likelihoods())
              ),
              wanted, 'folded'
          )
      )
      AND pattern_sync.is_text_of(t.kind, wanted, 'in_kind')
      AND pattern_sync.is_text_of(t.shape, wanted, 'in_shape')
      AND (
          pg_catalog.jsonb_extract_path_text(wanted, 'in_shape') IS NULL
          OR pg_catalog.md5(t.shape) = pg_catalog.md5(pg_catalog.jsonb_extract_path_text(wanted, 'in_shape'))
      )
      AND pattern_sync.is_text_of(t.target, wanted, 'in_target')
      AND (
          pg_catalog.jsonb_extract_path_text(wanted, 'in_flag') IS NULL
          OR pg_catalog.jsonb_extract_path_text(wanted, 'in_flag') = ANY (t.flags)
      )
      AND pattern_sync.is_within(t.savings, wanted, 'min_savings', 'max_savings')
      AND pattern_sync.is_within(t.evidence, wanted, 'min_evidence', 'max_evidence')
      AND pattern_sync.is_within(t.confidence, wanted, 'min_confidence', 'max_confidence')
      AND pattern_sync.is_within(t.occurrences::double precision, wanted, 'min_occurrences', 'max_occurrences')
      AND pattern_sync.is_within(t.workflows::double precision, wanted, 'min_workflows', 'max_workflows')
      AND pattern_sync.is_within(pattern_sync.seconds_since(t.created_at), wanted, 'min_age', 'max_age')
      AND pattern_sync.is_within(pattern_sync.seconds_since(t.last_seen), wanted, 'min_quiet', 'max_quiet')
      AND (matching.snoozed = 'show' OR (matching.snoozed = 'only') = (t.pattern_id IN (
          SELECT a.pattern_id FROM pattern_sync.asleep(matching.status) AS a
      )))
$$;
COMMENT ON FUNCTION pattern_sync.matching(status text, wanted jsonb, snoozed text, since timestamp with time zone) IS 'The traits that are found: those with a status (NULL: any) that meet what is wanted, an object as domain/query.py makes it, and are snoozed or not (''show'' both, ''hide'', ''only''), and have changed since a time (NULL: ever). It is one SELECT, so that PostgreSQL inlines it.';
CREATE FUNCTION pattern_sync.may_keep_traits() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT NOT pg_catalog.current_setting('transaction_read_only')::boolean
        AND pg_catalog.has_table_privilege('pattern_sync.traits', 'INSERT')
        AND pg_catalog.has_table_privilege('pattern_sync.traits', 'UPDATE')
        AND pg_catalog.has_table_privilege('pattern_sync.traits', 'DELETE')
$$;
COMMENT ON FUNCTION pattern_sync.may_keep_traits() IS 'Whether the caller may keep traits. Whoever may only read finds by those that others have kept.';
CREATE FUNCTION pattern_sync.measure_rule(rule jsonb, since timestamp with time zone, OUT decided bigint, OUT fitting bigint, OUT agreed bigint, OUT lessons bigint, OUT agreed_lessons bigint, OUT largest double precision) RETURNS record
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET work_mem TO '64MB'
    AS $$
BEGIN
    decided := pattern_sync.count_decided(measure_rule.since);
    SELECT
        pg_catalog.count(*),
        pg_catalog.count(*) FILTER (WHERE j.agrees),
        pg_catalog.count(DISTINCT j.lesson COLLATE "C"),
        pg_catalog.count(DISTINCT j.lesson COLLATE "C") FILTER (WHERE j.agrees),
        pg_catalog.max(j.savings)
    INTO fitting, agreed, lessons, agreed_lessons, largest
    FROM pattern_sync.judged(measure_rule.rule, measure_rule.since) AS j;
END $$;
COMMENT ON FUNCTION pattern_sync.measure_rule(rule jsonb, since timestamp with time zone, OUT decided bigint, OUT fitting bigint, OUT agreed bigint, OUT lessons bigint, OUT agreed_lessons bigint, OUT largest double precision) IS 'How many decisions people have made since a time (NULL: ever), how many of them a rule would have made, and with how many of these they agree; and the same counted in lessons, which is what a rule has to prove itself by.';
CREATE FUNCTION pattern_sync.moment(value timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE
        WHEN value >= '0001-01-02 00:00+00'::timestamptz AND value < '9999-12-31 00:00+00'::timestamptz THEN value
    END
$$;
COMMENT ON FUNCTION pattern_sync.moment(value timestamp with time zone) IS 'A time that every client can represent: years BC, years from 10000 on and infinity become NULL.';
CREATE FUNCTION pattern_sync.most_named() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT 1000
$$;
COMMENT ON FUNCTION pattern_sync.most_named() IS 'How many changed entries a notification to the review pages names at most. A larger change is sent as ''*'': everything.';
CREATE FUNCTION pattern_sync.moves(written_signature text, written_confidence double precision, written_occurrences bigint, written_savings numeric, confidence double precision, occurrences bigint, savings numeric) RETURNS TABLE(confidence_moved boolean, occurrences_moved boolean, savings_moved boolean, any_moved boolean)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT one.confidence, one.occurrences, one.savings, one.confidence OR one.occurrences OR one.savings
    FROM (
        SELECT
            moves.written_signature IS NULL OR moves.written_confidence IS DISTINCT FROM moves.confidence AS confidence,
            moves.written_signature IS NULL OR moves.written_occurrences IS DISTINCT FROM moves.occurrences
                AS occurrences,
            moves.written_signature IS NULL OR moves.written_savings IS DISTINCT FROM moves.savings AS savings
    ) AS one
$$;
COMMENT ON FUNCTION pattern_sync.moves(written_signature text, written_confidence double precision, written_occurrences bigint, written_savings numeric, confidence double precision, occurrences bigint, savings numeric) IS 'Which figures of a pattern have moved since we last wrote its entry. If we never wrote the entry, all figures count as moved. It is one SELECT, so that PostgreSQL inlines it.';
CREATE FUNCTION pattern_sync.name_of(row_id bigint) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN coalesce(
        (SELECT p.pattern_signature::text FROM operation_patterns AS p WHERE p.id = name_of.row_id),
        pg_catalog.concat('row ', name_of.row_id)
    );
EXCEPTION WHEN OTHERS THEN
    RETURN pg_catalog.concat('row ', name_of.row_id);
END $$;
COMMENT ON FUNCTION pattern_sync.name_of(row_id bigint) IS 'The signature of one pattern for a message, or its row id if the table cannot be read.';
CREATE FUNCTION pattern_sync.new_entries(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[], shown jsonb) RETURNS TABLE(place bigint, signature text, confidence_score numeric, occurrence_count integer, estimated_savings_usd numeric, tool_sequence text, pattern_context text, example_sessions text, confidence double precision, occurrences bigint, savings numeric)
    LANGUAGE sql STABLE
    AS $$
    SELECT
        p.place,
        -- A name that no client can read raises an error for its own row, instead of in every answer that contains it.
        CASE
            WHEN pg_catalog.getdatabaseencoding() = 'UTF8'::name THEN p.pattern_signature::text
            ELSE pg_catalog.convert_from(pg_catalog.convert_to(p.pattern_signature::text, 'UTF8'), 'UTF8')
        END,
        pattern_sync.figure(p.confidence_score::numeric / 100::numeric),
        pattern_sync.entry_occurrences(p.occurrence_count::bigint),
        pattern_sync.figure(p.potential_monthly_savings::numeric),
        coalesce(
            (SELECT has.names FROM pattern_sync.steps(pg_catalog.to_jsonb(p.typical_operations)) AS has),
            nullif(p.pattern_type::text, ''),
            'Unknown'
        ),
        pg_catalog."left"(p.typical_input_pattern::text, 500),
        coalesce(new_entries.shown ->> p.id::text, '[]'),
        p.confidence_score::double precision,
        p.occurrence_count::bigint,
        p.potential_monthly_savings::numeric
    FROM ( -- fetched first, whatever the planner expects to qualify
        SELECT asked.place, fetched.*
        FROM pg_catalog.unnest(new_entries.row_ids) WITH ORDINALITY AS asked (id, place)
        CROSS JOIN LATERAL (
            SELECT
                f.id, f.pattern_signature, f.pattern_type, f.typical_operations, f.typical_input_pattern,
                f.confidence_score, f.occurrence_count, f.potential_monthly_savings,
                pattern_sync.is_candidate(
                    f.*, min_confidence, min_occurrences, min_savings, only_types, exclude_types
                ) AS is_candidate
            FROM operation_patterns AS f WHERE f.id = asked.id LIMIT 1
        ) AS fetched
        OFFSET 0
    ) AS p
    LEFT JOIN LATERAL (
        SELECT f.pattern_id FROM pattern_sync.rejections AS f
        WHERE f.pattern_id = p.pattern_signature::text COLLATE "default" LIMIT 1
    ) AS r ON true
    WHERE r.pattern_id IS NULL AND p.is_candidate
$$;
COMMENT ON FUNCTION pattern_sync.new_entries(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[], shown jsonb) IS 'The entries to be inserted for some patterns, if they qualify now. The tool sequence is the names of the operations. `shown` is the result of `examples`.';
CREATE FUNCTION pattern_sync.newest_model() RETURNS TABLE(id bigint, trained_at timestamp with time zone, lessons bigint, model text, digest text, gate jsonb, shown boolean)
    LANGUAGE sql STABLE
    AS $$
    SELECT m.id, m.trained_at, m.lessons, m.model, m.digest, m.gate, m.shown
    FROM pattern_sync.models AS m
    ORDER BY m.id DESC
    LIMIT 1
$$;
COMMENT ON FUNCTION pattern_sync.newest_model() IS 'The newest model, which alone counts; no row if nothing was learned.';
CREATE FUNCTION pattern_sync.note_adjustment(signature text, old_confidence double precision, new_confidence double precision, results jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    reason CONSTANT text := pg_catalog.format(
        '%s executions, %s %% of them successful, saved %s %% of the estimated cost',
        note_adjustment.results ->> 'total_executions'::text,
        pg_catalog.round((note_adjustment.results ->> 'success_rate'::text)::numeric * 100::numeric, 1),
        pg_catalog.round((note_adjustment.results ->> 'roi_percentage'::text)::numeric, 1)
    );
BEGIN
    INSERT INTO pattern_sync.adjustments (pattern_id, old_confidence, new_confidence, adjustment_reason, roi_data)
    VALUES (
        note_adjustment.signature, note_adjustment.old_confidence, note_adjustment.new_confidence, reason,
        note_adjustment.results
    );
    IF pg_catalog.to_regclass('pattern_confidence_history') IS NOT NULL THEN
        PERFORM pattern_sync.check_writable('pattern_confidence_history', (
            '{pattern_id,old_confidence,new_confidence,adjustment_reason,roi_data,updated_by}'
        )::text[]);
        INSERT INTO pattern_confidence_history (
            pattern_id, old_confidence, new_confidence, adjustment_reason, roi_data, updated_by
        )
        VALUES (
            note_adjustment.signature, note_adjustment.old_confidence, note_adjustment.new_confidence, reason,
            note_adjustment.results, 'system'
        );
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.note_adjustment(signature text, old_confidence double precision, new_confidence double precision, results jsonb) IS 'Note an adjustment, in the application''s history as well where it has one.';
CREATE FUNCTION pattern_sync.note_human(signatures text[], human text, who text, replaced text) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pattern_sync.rules) THEN
        RETURN;
    END IF;
    IF note_human.replaced IN ('auto-approved', 'auto-rejected') THEN
        PERFORM pattern_sync.note_taken_back(NULL, note_human.signatures, note_human.who, note_human.human);
    END IF;
    UPDATE pattern_sync.rule_log AS l
    SET human = note_human.human, ended_at = coalesce(l.ended_at, pg_catalog.clock_timestamp())
    WHERE l.pattern_id = ANY (note_human.signatures)
      AND l.human IS NULL
      AND CASE WHEN l.act IN ('would', 'checked') THEN l.ended_at IS NULL ELSE l.act IN ('vetoed', 'reverted') END;
END $$;
COMMENT ON FUNCTION pattern_sync.note_human(signatures text[], human text, who text, replaced text) IS 'Note what a person has decided of some entries, for the rules that have marked them, or had decided them before.';
CREATE FUNCTION pattern_sync.note_taken_back(batch bigint, signatures text[], who text, human text) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    INSERT INTO pattern_sync.rule_log (rule, version, act, pattern_id, figures, human, reviewer, batch_id)
    SELECT
        l.rule, l.version, 'reverted', l.pattern_id, l.figures, note_taken_back.human, note_taken_back.who, l.batch_id
    FROM pattern_sync.rule_log AS l
    WHERE l.pattern_id = ANY (note_taken_back.signatures)
      AND l.act = 'decided'
      AND (note_taken_back.batch IS NULL OR l.batch_id = note_taken_back.batch)
      AND NOT EXISTS (
          SELECT FROM pattern_sync.rule_log AS r
          WHERE r.pattern_id = ANY (note_taken_back.signatures)
            AND r.act = 'reverted' AND r.pattern_id = l.pattern_id AND r.batch_id = l.batch_id
      );
END $$;
COMMENT ON FUNCTION pattern_sync.note_taken_back(batch bigint, signatures text[], who text, human text) IS 'Note that decisions of rules were taken back by somebody: those of a batch, or whichever stand on some entries (NULL), as a person has decided anew (`human`).';
CREATE FUNCTION pattern_sync.noted_as(action text, notes text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE action WHEN 'rejected' THEN 'REJECTED: ' ELSE '' END || notes
$$;
COMMENT ON FUNCTION pattern_sync.noted_as(action text, notes text) IS 'The notes of an entry: a rejection''s reason has the prefix that the application''s own readers expect.';
CREATE FUNCTION pattern_sync.notify(payload text) RETURNS void
    LANGUAGE sql
    AS $$
    SELECT pattern_sync.send('pattern_sync', payload)
$$;
COMMENT ON FUNCTION pattern_sync.notify(payload text) IS 'Notify the daemons about the patterns: a row id, ''*'' for a scan of all patterns, or ''settings'' for a new filter.';
CREATE FUNCTION pattern_sync.of_the_same_kind(signature text, status text, most bigint) RETURNS TABLE(pattern_id text, shape text)
    LANGUAGE sql STABLE
    AS $$
    SELECT t.pattern_id, t.shape
    FROM pattern_sync.traits AS t
    WHERE t.kind = (SELECT one.kind FROM pattern_sync.traits AS one WHERE one.pattern_id = of_the_same_kind.signature)
      AND (t.status = of_the_same_kind.status OR t.pattern_id = of_the_same_kind.signature)
    ORDER BY t.pattern_id = of_the_same_kind.signature DESC, t.impact DESC, t.pattern_id
    LIMIT most
$$;
COMMENT ON FUNCTION pattern_sync.of_the_same_kind(signature text, status text, most bigint) IS 'The entries that may be like one: those of its kind with a status, and their shapes, best impact first.';
CREATE FUNCTION pattern_sync.operations_of(operations anyelement) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN pg_catalog.to_jsonb(operations_of.operations);
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION pattern_sync.operations_of(operations anyelement) IS 'The operations of a pattern as JSONB; NULL where a column of type JSON holds an escape that JSONB cannot. One such row must not turn every list that contains it into an error.';
CREATE FUNCTION pattern_sync.outdated(row_ids bigint[]) RETURNS TABLE(signature text, confidence double precision, occurrences bigint, savings numeric, confidence_moved boolean, occurrences_moved boolean, savings_moved boolean, differs boolean)
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    RETURN QUERY
    SELECT
        moved.signature, moved.confidence, moved.occurrences, moved.savings,
        moved.confidence_moved, moved.occurrences_moved, moved.savings_moved,
        -- A REAL never equals its source, and that alone is no reason to write an entry.
        moved.confidence_moved AND moved.shown_confidence IS DISTINCT FROM CASE
            WHEN moved.confidence_type = 'real'::regtype::oid
                THEN pattern_sync.wanted_confidence(moved.signature, moved.confidence)::real::double precision
            ELSE pattern_sync.wanted_confidence(moved.signature, moved.confidence)::double precision
        END
        OR moved.occurrences_moved
            AND moved.shown_occurrences IS DISTINCT FROM pattern_sync.entry_occurrences(moved.occurrences)::bigint
        OR moved.savings_moved AND moved.shown_savings IS DISTINCT FROM CASE
            WHEN moved.savings_type = 'real'::regtype::oid
                THEN pattern_sync.figure(moved.savings)::real::double precision
            ELSE pattern_sync.figure(moved.savings)::double precision
        END
    FROM (
        SELECT
            p.pattern_signature::text AS signature,
            p.confidence_score::double precision AS confidence,
            p.occurrence_count::bigint AS occurrences,
            p.potential_monthly_savings::numeric AS savings,
            m.confidence_moved,
            m.occurrences_moved,
            m.savings_moved,
            a.confidence_score::double precision AS shown_confidence,
            a.occurrence_count::bigint AS shown_occurrences,
            a.estimated_savings_usd::double precision AS shown_savings,
            pg_catalog.pg_typeof(a.confidence_score)::oid AS confidence_type,
            pg_catalog.pg_typeof(a.estimated_savings_usd)::oid AS savings_type
        FROM pg_catalog.unnest(outdated.row_ids) AS asked (id)
        CROSS JOIN LATERAL (SELECT f.* FROM operation_patterns AS f WHERE f.id = asked.id LIMIT 1) AS p
        CROSS JOIN LATERAL (
            SELECT f.* FROM pattern_approvals AS f WHERE f.pattern_id::text = p.pattern_signature::text LIMIT 1
        ) AS a
        LEFT JOIN LATERAL (
            SELECT f.* FROM pattern_sync.written AS f
            WHERE f.pattern_id = p.pattern_signature::text COLLATE "default" LIMIT 1
        ) AS w ON true
        CROSS JOIN LATERAL pattern_sync.moves(
            w.pattern_id, w.confidence, w.occurrences, w.savings,
            p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
        ) AS m
        WHERE a.status::text = 'pending' AND m.any_moved
    ) AS moved;
END $$;
COMMENT ON FUNCTION pattern_sync.outdated(row_ids bigint[]) IS 'Which of some patterns have moved since we last wrote their pending entry, figure by figure, and whether the entry then differs from what it should show.';
CREATE FUNCTION pattern_sync.outdated_traits(signatures text[], most bigint) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET enable_seqscan TO 'on'
    SET plan_cache_mode TO 'force_generic_plan'
    SET work_mem TO '64MB'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
BEGIN
    IF outdated_traits.signatures IS NULL THEN
        RETURN ARRAY(
            SELECT a.pattern_id::text
            FROM pattern_approvals AS a
            LEFT JOIN pattern_sync.traits AS t ON t.pattern_id = a.pattern_id::text COLLATE "default"
            WHERE t.row_version IS DISTINCT FROM pg_catalog.concat(a.xmin::text, a.ctid::text)
               OR t.changed_at < pg_catalog.clock_timestamp() - '1 day'::interval
            LIMIT outdated_traits.most
        );
    END IF;
    PERFORM pg_catalog.set_config('enable_seqscan', 'off', true);
    RETURN ARRAY(
        SELECT a.pattern_id::text
        FROM pattern_approvals AS a
        LEFT JOIN (
            SELECT f.pattern_id, f.row_version FROM pattern_sync.traits AS f
            WHERE f.pattern_id = ANY (outdated_traits.signatures)
        ) AS t ON t.pattern_id = a.pattern_id::text COLLATE "default"
        WHERE a.pattern_id::text = ANY (outdated_traits.signatures)
          AND t.row_version IS DISTINCT FROM pg_catalog.concat(a.xmin::text, a.ctid::text)
        LIMIT outdated_traits.most
    );
END $$;
COMMENT ON FUNCTION pattern_sync.outdated_traits(signatures text[], most bigint) IS 'The entries whose traits are missing or outdated, at most `most`: those with these names or, if that is NULL, all. An entry has changed if its row is another version than the one that was read. What is recorded of a pattern changes without a change of its entry, and so does its age: traits are read again after a day.';
CREATE FUNCTION pattern_sync.outlook(batch bigint, signatures text[], after jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
DECLARE
    marks jsonb;
    later jsonb;
    standing jsonb;
BEGIN
    SELECT pg_catalog.jsonb_object_agg(p.pattern_signature::text, p.automation_status::text ORDER BY p.id::bigint DESC)
    INTO marks
    FROM operation_patterns AS p
    WHERE p.pattern_signature::text = ANY (outlook.signatures);
    SELECT pg_catalog.jsonb_object_agg(i.pattern_id, true) INTO later
    FROM pattern_sync.batch_items AS i
    WHERE i.pattern_id = ANY (outlook.signatures) AND i.batch_id > outlook.batch AND i.undone_at IS NULL;
    SELECT pg_catalog.jsonb_object_agg(
        a.pattern_id::text,
        pattern_sync.decided_state(a.status::text, a.reviewed_by::text, a.reviewed_at)
        = pattern_sync.decided_state(wrote.status::text, wrote.reviewed_by::text, wrote.reviewed_at)
    )
    INTO standing
    FROM pattern_approvals AS a
    CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(
        a.*, outlook.after -> a.pattern_id::text -> 'entry'::text
    ) AS wrote
    WHERE a.pattern_id::text = ANY (outlook.signatures);
    RETURN (
        SELECT coalesce(pg_catalog.jsonb_object_agg(judged.signature, judged.why), '{}')
        FROM (
            SELECT listed.signature, CASE
                WHEN NOT coalesce(standing ? listed.signature, false) THEN 'unknown'
                WHEN standing -> listed.signature <> 'true'::jsonb OR coalesce(later ? listed.signature, false)
                    THEN 'touched'
                WHEN marks ? listed.signature
                    AND marks -> listed.signature IS DISTINCT FROM outlook.after -> listed.signature -> 'mark'::text
                    THEN 'gone-on'
            END AS why
            FROM pg_catalog.unnest(outlook.signatures) AS listed (signature)
        ) AS judged
        WHERE judged.why IS NOT NULL
    );
END $$;
COMMENT ON FUNCTION pattern_sync.outlook(batch bigint, signatures text[], after jsonb) IS 'Why some decisions of a batch cannot be undone, by signature: touched, gone-on or unknown. `after` is what the batch wrote. A later decision that equals the batch''s (by the same person, in the same second of a coarse column) is another.';
CREATE FUNCTION pattern_sync.pause_rule(rule_name text, version bigint, because text, who text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    seen text[];
BEGIN
    UPDATE pattern_sync.rules AS r SET state = 'paused', paused_because = pause_rule.because
    WHERE r.name = pause_rule.rule_name AND r.version = pause_rule.version AND r.state = 'on';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    seen := pattern_sync.marked_by(pause_rule.rule_name);
    PERFORM pattern_sync.end_marks(pause_rule.rule_name);
    INSERT INTO pattern_sync.rule_log (rule, version, act, reviewer, reason)
    VALUES (pause_rule.rule_name, pause_rule.version, 'paused', pause_rule.who, pause_rule.because);
    PERFORM pattern_sync.tell_changes('refreshed', seen);
    RETURN true;
END $$;
COMMENT ON FUNCTION pattern_sync.pause_rule(rule_name text, version bigint, because text, who text) IS 'Pause a rule that is on, for a reason. False if it is not on any more, or is another version.';
CREATE FUNCTION pattern_sync.people_decided() RETURNS TABLE(pattern_id text, approved boolean, reviewer text, decided_at timestamp with time zone, lesson text, confidence double precision, occurrences bigint, savings double precision, evidence double precision, kind text, target text, shape text, workflows bigint, days_seen double precision, flags text[])
    LANGUAGE sql STABLE
    AS $$
    WITH latest AS MATERIALIZED (
        -- Decisions on one pattern are numbered in their order, as each locks its entry.
        SELECT d.pattern_id, pg_catalog.max(d.id) AS id
        FROM pattern_sync.decisions AS d
        WHERE d.undone_at IS NULL AND d.decision IN ('approved', 'rejected')
        GROUP BY d.pattern_id
    )
    SELECT
        standing.pattern_id,
        standing.decision = 'approved'::text,
        standing.reviewer,
        standing.decided_at,
        pattern_sync.lesson_of(standing.pattern_id, standing.batch_id, standing.shown),
        (
            pg_catalog.jsonb_extract_path_text(standing.shown, 'figures', 'confidence')::numeric * 100::numeric
        )::double precision,
        pg_catalog.jsonb_extract_path_text(standing.shown, 'figures', 'occurrences')::bigint,
        pg_catalog.jsonb_extract_path_text(standing.shown, 'figures', 'savings')::double precision,
        pg_catalog.jsonb_extract_path_text(standing.shown, 'evidence', 'savings_by_evidence')::double precision,
        pg_catalog.jsonb_extract_path_text(standing.shown, 'traits', 'kind'),
        pg_catalog.jsonb_extract_path_text(standing.shown, 'traits', 'target'),
        pg_catalog.jsonb_extract_path_text(standing.shown, 'traits', 'shape'),
        coalesce(pg_catalog.jsonb_extract_path_text(standing.shown, 'evidence', 'workflows')::bigint, 0::bigint),
        coalesce(
            pg_catalog.jsonb_extract_path_text(standing.shown, 'evidence', 'days_seen')::double precision,
            0::double precision
        ),
        pattern_sync.recorded_flags(standing.shown)
    FROM latest
    JOIN pattern_sync.decisions AS standing ON standing.id = latest.id
    UNION ALL
    SELECT
        entry.pattern_id, entry.approved, entry.reviewer, entry.decided_at, entry.pattern_id,
        entry.confidence, entry.occurrences, entry.savings, t.evidence, t.kind, t.target, t.shape,
        coalesce(t.workflows, 0::bigint), pattern_sync.days_between(t.first_seen, t.last_seen),
        -- It had not gone quiet while somebody looked at it, only because it has since.
        CASE
            WHEN t.last_seen < entry.decided_at - '30 days'::interval THEN t.flags
            ELSE pg_catalog.array_remove(t.flags, 'gone-quiet'::text)
        END
    FROM (
        SELECT
            a.pattern_id::text COLLATE "default" AS pattern_id,
            a.status::text = 'approved'::text AS approved,
            a.reviewed_by::text AS reviewer,
            pattern_sync.moment(a.reviewed_at::timestamptz) AS decided_at,
            (pattern_sync.figure(a.confidence_score::text::numeric) * 100::numeric)::double precision AS confidence,
            a.occurrence_count::bigint AS occurrences,
            pattern_sync.figure(a.estimated_savings_usd::text::numeric)::double precision AS savings
        FROM pattern_approvals AS a
        WHERE a.status::text IN ('approved', 'rejected')
    ) AS entry
    LEFT JOIN pattern_sync.traits AS t ON t.pattern_id = entry.pattern_id
    LEFT JOIN latest ON latest.pattern_id = entry.pattern_id
    WHERE latest.pattern_id IS NULL
$$;
COMMENT ON FUNCTION pattern_sync.people_decided() IS 'The standing decisions of people, with what they saw: from the record, and for those before it from the entries, whose figures no machine of ours has touched since; of these, what is recorded is as of now. No machine''s decision is among them. A batch teaches one lesson for each shape. It is one SELECT, so that PostgreSQL inlines it.';
CREATE FUNCTION pattern_sync.pick_missing(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], most bigint, retry boolean, begun timestamp with time zone, passed_over bigint[], lane integer, lanes integer, OUT candidates bigint, OUT missing bigint, OUT refused bigint, OUT row_ids bigint[]) RETURNS record
    LANGUAGE sql STABLE
    AS $$
    SELECT p.candidates, p.missing, p.refused, p.row_ids
    FROM pattern_sync.pick_missing(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, NULL, NULL,
        most, retry, begun, passed_over, lane, lanes
    ) AS p
$$;
COMMENT ON FUNCTION pattern_sync.pick_missing(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], most bigint, retry boolean, begun timestamp with time zone, passed_over bigint[], lane integer, lanes integer, OUT candidates bigint, OUT missing bigint, OUT refused bigint, OUT row_ids bigint[]) IS 'pick_missing of release 0.3.';
CREATE FUNCTION pattern_sync.pick_missing(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], max_age_days double precision, min_workflows bigint, most bigint, retry boolean, begun timestamp with time zone, passed_over bigint[], lane integer, lanes integer, OUT candidates bigint, OUT missing bigint, OUT refused bigint, OUT row_ids bigint[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET lock_timeout TO '500ms'
    AS $$
DECLARE
    is_narrowed CONSTANT boolean := max_age_days IS NOT NULL OR min_workflows IS NOT NULL;
    seen bigint[];
BEGIN
    IF is_narrowed THEN
        seen := pattern_sync.seen_enough(max_age_days, min_workflows, ARRAY(
            SELECT p.id::bigint
            FROM operation_patterns AS p
            WHERE pattern_sync.is_candidate(
                p.*, min_confidence, min_occurrences, min_savings, only_types, exclude_types
            )
        ));
    END IF;
    SELECT
        pg_catalog.count(*),
        pg_catalog.count(*) FILTER (WHERE found.missing),
        pg_catalog.count(*) FILTER (WHERE found.missing AND found.refused),
        pg_catalog.array_agg(found.id ORDER BY found.impact DESC, found.id)
            FILTER (WHERE found.missing AND NOT found.refused AND NOT found.passed_over)
    INTO candidates, missing, refused, row_ids
    FROM (
        SELECT
            p.id::bigint AS id,
            pattern_sync.impact(
                p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
            ) AS impact,
            a.pattern_id IS NULL AS missing,
            f.row_id IS NOT NULL AND (NOT pick_missing.retry OR coalesce(f.refused_at >= pick_missing.begun, false))
                AS refused,
            passed.id IS NOT NULL AS passed_over
        FROM operation_patterns AS p
        LEFT JOIN pattern_approvals AS a ON a.pattern_id::text = p.pattern_signature::text
        LEFT JOIN pattern_sync.rejections AS r ON r.pattern_id = p.pattern_signature::text COLLATE "default"
        LEFT JOIN pattern_sync.refusals AS f ON f.row_id = p.id::bigint
        LEFT JOIN pg_catalog.unnest(pick_missing.passed_over) AS passed (id) ON passed.id = p.id::bigint
        WHERE pattern_sync.is_candidate(
                p.*, min_confidence, min_occurrences, min_savings, only_types, exclude_types
            )
          AND (NOT is_narrowed OR p.id::bigint IN (SELECT k.id FROM pg_catalog.unnest(seen) AS k (id)))
          AND (a.pattern_id IS NOT NULL OR r.pattern_id IS NULL)
          AND (lanes = 1 OR pg_catalog.abs(p.id::bigint % lanes::bigint) = lane::bigint)
    ) AS found;
    row_ids := CASE
        WHEN row_ids IS NULL THEN '{}'
        WHEN most < pg_catalog.cardinality(row_ids)::bigint THEN row_ids[1:most::integer]
        ELSE row_ids
    END;
END $$;
COMMENT ON FUNCTION pattern_sync.pick_missing(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], max_age_days double precision, min_workflows bigint, most bigint, retry boolean, begun timestamp with time zone, passed_over bigint[], lane integer, lanes integer, OUT candidates bigint, OUT missing bigint, OUT refused bigint, OUT row_ids bigint[]) IS 'What a scan finds: how many patterns qualify; how many of them have no entry; how many of those wait in the quarantine; and the row ids of the others, best impact first, at most `most` (NULL: all). A `retry` includes those in the quarantine, unless they were refused after the scan began. Patterns in `passed_over`, which somebody has locked, are left out. With several `lanes`, each connection takes its own share of the patterns.';
CREATE FUNCTION pattern_sync.pick_stale(after_id bigint, most bigint) RETURNS bigint[]
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET enable_seqscan TO 'on'
    SET plan_cache_mode TO 'force_custom_plan'
    SET work_mem TO '64MB'
    SET max_parallel_workers_per_gather TO '0'
    SET lock_timeout TO '500ms'
    AS $$
DECLARE
    stale bigint[];
BEGIN
    IF pattern_sync.signature_is_unique() AND pattern_sync.has_few_pending() THEN
        PERFORM
            pg_catalog.set_config('enable_nestloop', 'on', true),
            pg_catalog.set_config('enable_seqscan', 'off', true);
        SELECT coalesce(pg_catalog.array_agg(behind.id ORDER BY behind.id), '{}') INTO stale
        FROM (
            SELECT p.id::bigint AS id
            FROM pattern_approvals AS a
            CROSS JOIN LATERAL (
                SELECT f.* FROM operation_patterns AS f WHERE f.pattern_signature::text = a.pattern_id::text LIMIT 1
            ) AS p
            LEFT JOIN LATERAL (
                SELECT f.* FROM pattern_sync.written AS f
                WHERE f.pattern_id = a.pattern_id::text COLLATE "default" LIMIT 1
            ) AS w ON true
            CROSS JOIN LATERAL pattern_sync.moves(
                w.pattern_id, w.confidence, w.occurrences, w.savings,
                p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
            ) AS m
            LEFT JOIN LATERAL (
                SELECT f.row_id FROM pattern_sync.refusals AS f WHERE f.row_id = p.id::bigint LIMIT 1
            ) AS r ON true
            WHERE a.status::text = 'pending' AND p.id > pick_stale.after_id AND r.row_id IS NULL AND m.any_moved
            ORDER BY p.id
            LIMIT most
        ) AS behind;
        RETURN stale;
    END IF;
    SELECT coalesce(pg_catalog.array_agg(behind.id ORDER BY behind.id), '{}') INTO stale
    FROM (
        SELECT p.id::bigint AS id
        FROM pattern_approvals AS a
        JOIN operation_patterns AS p ON p.pattern_signature::text = a.pattern_id::text
        LEFT JOIN pattern_sync.written AS w ON w.pattern_id = a.pattern_id::text COLLATE "default"
        CROSS JOIN LATERAL pattern_sync.moves(
            w.pattern_id, w.confidence, w.occurrences, w.savings,
            p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
        ) AS m
        LEFT JOIN pattern_sync.refusals AS r ON r.row_id = p.id::bigint
        WHERE a.status::text = 'pending' AND p.id > pick_stale.after_id AND r.row_id IS NULL AND m.any_moved
        ORDER BY p.id
        LIMIT most
    ) AS behind;
    RETURN stale;
END $$;
COMMENT ON FUNCTION pattern_sync.pick_stale(after_id bigint, most bigint) IS 'The row ids of the next patterns with a stale entry: the source has moved since the entry was last written. Few pending entries are looked up one by one, as this runs every few seconds and there may be a million patterns. Many, or entries without an index on the signature, are joined.';
CREATE FUNCTION pattern_sync.plan_messages(channels text[], min_savings double precision, wait_seconds double precision, every_seconds double precision, slot timestamp with time zone) RETURNS double precision
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY plan_messages.channels LOOP
        CONTINUE WHEN pattern_sync.is_off(wanted);
        INSERT INTO pattern_sync.messages (channel, kind, due_at, slot)
        SELECT wanted, 'digest', pg_catalog.clock_timestamp(), plan_messages.slot
        WHERE plan_messages.slot IS NOT NULL AND NOT EXISTS (
            SELECT FROM pattern_sync.messages AS m
            WHERE m.channel = wanted AND m.kind = 'digest' AND m.slot >= plan_messages.slot
        ) AND EXISTS (
            SELECT FROM pattern_sync.messages AS m
            WHERE m.channel = wanted AND m.kind = 'high_value' AND m.gathered_at < plan_messages.slot
        )
        ON CONFLICT DO NOTHING; -- another daemon was faster
        CONTINUE WHEN EXISTS (
            SELECT FROM pattern_sync.messages AS m
            WHERE m.channel = wanted AND m.kind = 'high_value' AND m.state = 'open' AND m.attempts = 0
        );
        INSERT INTO pattern_sync.messages (channel, kind, due_at)
        SELECT wanted, 'high_value', greatest(
            pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => plan_messages.wait_seconds),
            (
                SELECT pg_catalog.max(m.gathered_at) + pg_catalog.make_interval(secs => plan_messages.every_seconds)
                FROM pattern_sync.messages AS m
                WHERE m.channel = wanted AND m.kind = 'high_value' AND m.state <> 'dropped'
            )
        )
        WHERE EXISTS (SELECT FROM pattern_sync.untold(wanted, plan_messages.min_savings))
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN (
        SELECT greatest(0::double precision, pg_catalog.date_part(
            'epoch'::text, pg_catalog.min(s.at) - pg_catalog.clock_timestamp()
        ))
        FROM pattern_sync.sendable(plan_messages.channels) AS s
        HAVING pg_catalog.count(*) > 0::bigint -- greatest() passes NULL over
    );
END $$;
COMMENT ON FUNCTION pattern_sync.plan_messages(channels text[], min_savings double precision, wait_seconds double precision, every_seconds double precision, slot timestamp with time zone) IS 'Begin a message for each of these channels that has something to be told and no message that gathers: due after `wait_seconds`, and `every_seconds` after the last one at the earliest. Begin a digest for each that has none for this slot (NULL: no digest is due), after its first message: on a full queue that one tells all. Returns when the next message may be sent, in seconds from now; NULL if there is none.';
CREATE FUNCTION pattern_sync.plan_pauses(channels text[], wait_seconds double precision) RETURNS void
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    INSERT INTO pattern_sync.messages (channel, kind, due_at)
    SELECT
        wanted.channel, 'rule_paused',
        least(pg_catalog.min(u.at), pg_catalog.clock_timestamp())
        + pg_catalog.make_interval(secs => plan_pauses.wait_seconds)
    FROM pg_catalog.unnest(plan_pauses.channels) AS wanted (channel)
    CROSS JOIN LATERAL pattern_sync.untold_pauses(wanted.channel) AS u
    WHERE NOT pattern_sync.is_off(wanted.channel)
      AND NOT EXISTS (
          SELECT FROM pattern_sync.messages AS m
          WHERE m.channel = wanted.channel AND m.kind = 'rule_paused' AND m.state = 'open' AND m.pauses IS NULL
      )
    GROUP BY wanted.channel
    ON CONFLICT DO NOTHING; -- another daemon was faster
END $$;
COMMENT ON FUNCTION pattern_sync.plan_pauses(channels text[], wait_seconds double precision) IS 'Begin a message for each of these channels that was not told of a pause and has no such message that gathers: due `wait_seconds` after the first of the pauses, with all that come meanwhile, and whenever the last message was sent. That takes no pace: a rule pauses once, until a person has switched it on again.';
CREATE FUNCTION pattern_sync.predicate(confidence text, occurrences text, savings text, pattern_type text, min_confidence text, min_occurrences text, min_savings text, only_types text, exclude_types text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $_$
    SELECT pg_catalog.format(
        $predicate$coalesce(%3$s, 0) >= coalesce(%7$s, '-1e309') AND coalesce(%3$s, 0) < 'Infinity'
       AND coalesce(%1$s, 0) >= coalesce(%5$s, '-1.7976931348623157e308') AND coalesce(%1$s, 0) < 'Infinity'
       AND coalesce(%2$s, 0) >= coalesce(%6$s, coalesce(%2$s, 0))
       AND (pg_catalog.cardinality(%8$s) = 0 OR coalesce(%4$s, '') = ANY (%8$s))
       AND coalesce(%4$s, '') <> ALL (%9$s)$predicate$,
        confidence, occurrences, savings, pattern_type,
        min_confidence, min_occurrences, min_savings, only_types, exclude_types
    )
$_$;
COMMENT ON FUNCTION pattern_sync.predicate(confidence text, occurrences text, savings text, pattern_type text, min_confidence text, min_occurrences text, min_savings text, only_types text, exclude_types text) IS 'The predicate: the one definition of what qualifies, as SQL text over nine expressions. A NULL bound sets no limit: it is below every finite figure. NULL figures count as 0. NaN (which sorts above infinity) and infinities never qualify. An index on the coalesced columns can serve it.';
CREATE FUNCTION pattern_sync.prepare_to_find(however_long boolean) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT pattern_sync.may_keep_traits()
        OR NOT (prepare_to_find.however_long OR pattern_sync.is_short_queue())
    THEN
        RETURN pattern_sync.can_find();
    END IF;
    IF NOT pattern_sync.wait_for_traits() THEN
        RETURN false;
    END IF;
    PERFORM pattern_sync.keep_traits(NULL, NULL);
    RETURN true;
END $$;
COMMENT ON FUNCTION pattern_sync.prepare_to_find(however_long boolean) IS 'Make what is found as new as can be had: the traits of a short queue are brought up to date, and those of any queue if it is so asked. Returns whether every entry can be found: not while others take long to bring these traits up to date, as they may be about to write what this caller has just changed; without such a wish, see `can_find`.';
CREATE FUNCTION pattern_sync.prune_messages() RETURNS void
    LANGUAGE plpgsql
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    DELETE FROM pattern_sync.messages AS m WHERE m.ended_at < pg_catalog.clock_timestamp() - '30 days'::interval;
    DELETE FROM pattern_sync.told AS d
    WHERE d.pattern_id IN (
        SELECT known.pattern_id
        FROM pattern_sync.told AS known
        LEFT JOIN pattern_approvals AS a ON a.pattern_id::text COLLATE "default" = known.pattern_id
        WHERE a.pattern_id IS NULL
    );
END $$;
COMMENT ON FUNCTION pattern_sync.prune_messages() IS 'Forget messages that ended over 30 days ago, and what was told of entries that are gone.';
CREATE FUNCTION pattern_sync.prune_rule_log() RETURNS void
    LANGUAGE plpgsql
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    DELETE FROM pattern_sync.rule_log AS l
    WHERE l.act IN ('would', 'checked') AND l.human IS NULL
      AND l.ended_at < pg_catalog.clock_timestamp() - '30 days'::interval;
    DELETE FROM pattern_sync.rule_log AS l
    WHERE l.act <> 'decided' AND l.pattern_id IN (
        SELECT known.pattern_id
        FROM pattern_sync.rule_log AS known
        LEFT JOIN pattern_approvals AS a ON a.pattern_id::text COLLATE "default" = known.pattern_id
        WHERE a.pattern_id IS NULL AND known.pattern_id IS NOT NULL
    );
END $$;
COMMENT ON FUNCTION pattern_sync.prune_rule_log() IS 'Forget marks that came to nothing over 30 days ago, and what rules did with entries that are gone.';
CREATE FUNCTION pattern_sync.qualifies(confidence double precision, occurrences bigint, savings numeric, pattern_type text, min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$SELECT coalesce(savings, 0) >= coalesce(min_savings, '-1e309') AND coalesce(savings, 0) < 'Infinity'
       AND coalesce(confidence, 0) >= coalesce(min_confidence, '-1.7976931348623157e308') AND coalesce(confidence, 0) < 'Infinity'
       AND coalesce(occurrences, 0) >= coalesce(min_occurrences, coalesce(occurrences, 0))
       AND (pg_catalog.cardinality(only_types) = 0 OR coalesce(pattern_type, '') = ANY (only_types))
       AND coalesce(pattern_type, '') <> ALL (exclude_types)$$;
COMMENT ON FUNCTION pattern_sync.qualifies(confidence double precision, occurrences bigint, savings numeric, pattern_type text, min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[]) IS 'Whether figures qualify, by pattern_sync.predicate.';
CREATE FUNCTION pattern_sync.quarantine(row_ids bigint[], signatures text[], reasons text[], codes text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO pattern_sync.refusals AS r (row_id, pattern_id, reason, sqlstate, refused_at, retry_at)
    SELECT DISTINCT ON (refused.row_id)
        refused.row_id, pattern_sync.legible(refused.signature),
        pg_catalog."left"(pattern_sync.legible(refused.reason), 1000), refused.code,
        pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp() + '5 s'::interval
    FROM ROWS FROM (
        pg_catalog.unnest(row_ids), pg_catalog.unnest(signatures), pg_catalog.unnest(reasons), pg_catalog.unnest(codes)
    ) AS refused (row_id, signature, reason, code)
    ORDER BY refused.row_id
    ON CONFLICT (row_id) DO UPDATE
    SET
        pattern_id = EXCLUDED.pattern_id,
        reason = EXCLUDED.reason,
        sqlstate = EXCLUDED.sqlstate,
        attempts = r.attempts + 1,
        refused_at = EXCLUDED.refused_at,
        retry_at = EXCLUDED.refused_at
            + least(
                5::double precision * pg_catalog.power(2::double precision, least(r.attempts, 20)::double precision),
                3600::double precision
            ) * '1 s'::interval;
EXCEPTION WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
    RETURN;
END $$;
COMMENT ON FUNCTION pattern_sync.quarantine(row_ids bigint[], signatures text[], reasons text[], codes text[]) IS 'Put patterns into the quarantine: for 5 seconds at first, then each time for twice as long, at most an hour. If another daemon is quarantining the same patterns, nothing is done.';
CREATE FUNCTION pattern_sync.queue_by_hand(signature text, reviewer text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    result text;
BEGIN
    SELECT r.outcome INTO result
    FROM pattern_sync.reconcile(
        NULL::double precision, NULL::bigint, NULL::numeric, '{}'::text[], '{}'::text[],
        ARRAY(SELECT p.id::bigint FROM operation_patterns AS p WHERE p.pattern_signature::text = queue_by_hand.signature)
    ) AS r
    ORDER BY r.outcome = 'queued' DESC
    LIMIT 1;
    IF result = 'queued' THEN
        PERFORM pattern_sync.tell_changes('queued', ARRAY[queue_by_hand.signature]);
        PERFORM pattern_sync.remark(queue_by_hand.signature, queue_by_hand.reviewer, 'Queued by hand.');
    END IF;
    RETURN result;
END $$;
COMMENT ON FUNCTION pattern_sync.queue_by_hand(signature text, reviewer text) IS 'Queue one pattern although it may not qualify, as a person wants it, and note who that was. Returns the outcome; NULL if there is no such pattern. People win: an entry that exists, and a pattern that was rejected, stay as they are.';
CREATE PROCEDURE pattern_sync.queue_missing(IN min_confidence double precision, IN min_occurrences bigint, IN min_savings numeric, IN only_types text[], IN exclude_types text[], IN most bigint, IN retry boolean, IN lane integer, IN lanes integer, IN budget_seconds double precision, IN commits boolean, INOUT begun timestamp with time zone, INOUT held text[], INOUT candidates bigint, INOUT missing bigint, INOUT refused bigint, INOUT handled bigint, INOUT queued bigint, INOUT failed bigint, INOUT queued_signatures text[], INOUT failed_signatures text[], INOUT failed_reasons text[], INOUT finished boolean)
    LANGUAGE plpgsql
    AS $$
BEGIN
    CALL pattern_sync.queue_missing(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, NULL, NULL,
        most, retry, lane, lanes, budget_seconds, commits,
        begun, held, candidates, missing, refused, handled, queued, failed, queued_signatures,
        failed_signatures, failed_reasons, finished
    );
END $$;
COMMENT ON PROCEDURE pattern_sync.queue_missing(IN min_confidence double precision, IN min_occurrences bigint, IN min_savings numeric, IN only_types text[], IN exclude_types text[], IN most bigint, IN retry boolean, IN lane integer, IN lanes integer, IN budget_seconds double precision, IN commits boolean, INOUT begun timestamp with time zone, INOUT held text[], INOUT candidates bigint, INOUT missing bigint, INOUT refused bigint, INOUT handled bigint, INOUT queued bigint, INOUT failed bigint, INOUT queued_signatures text[], INOUT failed_signatures text[], INOUT failed_reasons text[], INOUT finished boolean) IS 'queue_missing of release 0.3.';
CREATE PROCEDURE pattern_sync.queue_missing(IN min_confidence double precision, IN min_occurrences bigint, IN min_savings numeric, IN only_types text[], IN exclude_types text[], IN max_age_days double precision, IN min_workflows bigint, IN most bigint, IN retry boolean, IN lane integer, IN lanes integer, IN budget_seconds double precision, IN commits boolean, INOUT begun timestamp with time zone, INOUT held text[], INOUT candidates bigint, INOUT missing bigint, INOUT refused bigint, INOUT handled bigint, INOUT queued bigint, INOUT failed bigint, INOUT queued_signatures text[], INOUT failed_signatures text[], INOUT failed_reasons text[], INOUT finished boolean)
    LANGUAGE plpgsql
    AS $$
DECLARE
    picked record;
    page record;
    ids bigint[];
    asked integer;
    position integer := 0;
    taken bigint := 0;
    few CONSTANT integer := 500;
    many CONSTANT integer := 5000;
    size integer := many;
    started CONSTANT timestamptz := pg_catalog.clock_timestamp();
    deadline timestamptz;
BEGIN
    begun := coalesce(begun, started);
    SELECT p.candidates, p.missing, p.refused, p.row_ids INTO picked
    FROM pattern_sync.pick_missing(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, max_age_days, min_workflows,
        NULL, retry, begun, coalesce(held, '{}')::bigint[], lane, lanes
    ) AS p;
    -- Picking from a million patterns takes seconds; it may take a tenth of the time.
    deadline := pg_catalog.clock_timestamp() + greatest(
        budget_seconds * '1 s'::interval,
        CASE WHEN budget_seconds > 0::double precision THEN
            (pg_catalog.clock_timestamp() - started) * 9::double precision
        END
    );
    ids := picked.row_ids;
    candidates := picked.candidates;
    missing := picked.missing;
    refused := picked.refused;
    handled := 0;
    queued := 0;
    failed := 0;
    held := '{}';
    queued_signatures := '{}';
    failed_signatures := '{}';
    failed_reasons := '{}';
    WHILE position < pg_catalog.cardinality(ids) AND (most IS NULL OR taken < most) LOOP
        PERFORM pg_catalog.set_config('synchronous_commit', 'off', true);
        asked := least(
            size::bigint, (pg_catalog.cardinality(ids) - position)::bigint, coalesce(most - taken, many::bigint)
        )::integer;
        SELECT
            pg_catalog.count(*) FILTER (WHERE r.outcome = 'queued') AS queued,
            pg_catalog.count(*) FILTER (WHERE r.outcome = 'failed') AS failed,
            pg_catalog.count(*) FILTER (WHERE r.outcome = 'held') AS held_count,
            pg_catalog.count(*) FILTER (WHERE r.outcome = 'untried') AS untried_count,
            pg_catalog.array_agg(r.row_id) FILTER (WHERE r.outcome = 'untried') AS untried,
            pg_catalog.array_agg(r.row_id::text) FILTER (WHERE r.outcome = 'held') AS held,
            pg_catalog.array_agg(r.signature) FILTER (WHERE r.outcome = 'queued') AS queued_signatures,
            pg_catalog.array_agg(r.signature) FILTER (WHERE r.outcome = 'failed') AS failed_signatures,
            pg_catalog.array_agg(r.reason) FILTER (WHERE r.outcome = 'failed') AS failed_reasons
        INTO page
        FROM pattern_sync.reconcile(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types,
            ids[position + 1:position + asked], true
        ) AS r;
        position := position + asked;
        handled := handled + asked::bigint - page.untried_count;
        taken := taken + asked::bigint - page.untried_count - page.failed - page.held_count;
        queued := queued + page.queued;
        failed := failed + page.failed;
        held := pg_catalog.array_cat(held, page.held);
        IF page.untried IS NOT NULL THEN
            ids := pg_catalog.array_cat(ids, page.untried);
        END IF;
        -- Refused or locked rows make a page slow, and other sessions wait for all of it.
        size := CASE
            WHEN page.failed + page.held_count + page.untried_count > 0::bigint THEN few
            ELSE least(size * 4, many)
        END;
        -- Names are kept only up to what a notification lists, or a person reads.
        IF pg_catalog.cardinality(queued_signatures) <= pattern_sync.most_named() THEN
            queued_signatures := pg_catalog.array_cat(
                queued_signatures, page.queued_signatures[1:pattern_sync.most_named() + 1]
            );
        END IF;
        IF pg_catalog.cardinality(failed_signatures) < 20 THEN
            failed_signatures := pg_catalog.array_cat(failed_signatures, page.failed_signatures[1:20]);
            failed_reasons := pg_catalog.array_cat(failed_reasons, page.failed_reasons[1:20]);
        END IF;
        EXIT WHEN NOT commits;
        COMMIT;
        EXIT WHEN pg_catalog.clock_timestamp() >= deadline;
    END LOOP;
    finished := position >= pg_catalog.cardinality(ids) OR coalesce(taken >= most, false);
END $$;
COMMENT ON PROCEDURE pattern_sync.queue_missing(IN min_confidence double precision, IN min_occurrences bigint, IN min_savings numeric, IN only_types text[], IN exclude_types text[], IN max_age_days double precision, IN min_workflows bigint, IN most bigint, IN retry boolean, IN lane integer, IN lanes integer, IN budget_seconds double precision, IN commits boolean, INOUT begun timestamp with time zone, INOUT held text[], INOUT candidates bigint, INOUT missing bigint, INOUT refused bigint, INOUT handled bigint, INOUT queued bigint, INOUT failed bigint, INOUT queued_signatures text[], INOUT failed_signatures text[], INOUT failed_reasons text[], INOUT finished boolean) IS 'Queue what qualifies and has no entry, best impact first. Pages are committed one by one until all is done or the budget is used up (0: one page). The caller then continues with `begun` and with the patterns in `held`, which somebody has locked. Failed and locked patterns do not count towards `most`. Behind a pooler that shares sessions it must not commit, so that each call writes one page.';
CREATE FUNCTION pattern_sync.reach_of(rule jsonb, OUT entries bigint, OUT pending bigint, OUT fitting_pending bigint, OUT fitting_savings double precision, OUT recent bigint, OUT fitting_recent bigint, OUT fitting bigint, OUT alone jsonb, OUT extremes jsonb) RETURNS record
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    SELECT
        pg_catalog.count(*),
        pg_catalog.count(*) FILTER (WHERE e.pending),
        pg_catalog.count(*) FILTER (WHERE e.pending AND e.fits),
        coalesce(pg_catalog.sum(e.savings) FILTER (WHERE e.pending AND e.fits), 0::double precision),
        pg_catalog.count(*) FILTER (WHERE e.recent),
        pg_catalog.count(*) FILTER (WHERE e.recent AND e.fits),
        pg_catalog.count(*) FILTER (WHERE e.fits),
        pg_catalog.jsonb_build_object(
            'min_confidence', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.is_within(e.confidence, reach_of.rule, 'min_confidence', 'none')
            ),
            'max_confidence', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.is_within(e.confidence, reach_of.rule, 'none', 'max_confidence')
            ),
            'min_occurrences', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.is_within(e.occurrences, reach_of.rule, 'min_occurrences', 'none')
            ),
            'min_savings', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.is_within(e.savings, reach_of.rule, 'min_savings', 'none')
            ),
            'max_savings', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.is_within(e.savings, reach_of.rule, 'none', 'max_savings')
            ),
            'min_workflows', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.is_within(e.workflows, reach_of.rule, 'min_workflows', 'none')
            ),
            'min_days_seen', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.is_within(e.days_seen, reach_of.rule, 'min_days_seen', 'none')
            ),
            'only_kinds', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.is_one_of(e.kind, reach_of.rule, 'only_kinds', 'none')
            ),
            'exclude_kinds', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.is_one_of(e.kind, reach_of.rule, 'none', 'exclude_kinds')
            ),
            'needs_tools', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.words_of(reach_of.rule, 'needs_tools') IS NULL
                    OR pattern_sync.has_tools(e.tools, pattern_sync.words_of(reach_of.rule, 'needs_tools'), NULL)
            ),
            'without_tools', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.words_of(reach_of.rule, 'without_tools') IS NULL
                    OR pattern_sync.has_tools(e.tools, NULL, pattern_sync.words_of(reach_of.rule, 'without_tools'))
            ),
            'allow_flags', pg_catalog.count(*) FILTER (
                WHERE pattern_sync.are_allowed(e.flags, pattern_sync.words_of(reach_of.rule, 'allow_flags'))
            )
        ),
        pg_catalog.jsonb_build_object(
            'min_confidence', pg_catalog.max(e.confidence), 'max_confidence', pg_catalog.min(e.confidence),
            'min_occurrences', pg_catalog.max(e.occurrences),
            'min_savings', pg_catalog.max(e.savings), 'max_savings', pg_catalog.min(e.savings),
            'min_workflows', pg_catalog.max(e.workflows), 'min_days_seen', pg_catalog.max(e.days_seen),
            'allow_flags', pg_catalog.max(pg_catalog.array_to_string(e.flags, ' ') COLLATE "C") FILTER (
                WHERE NOT pattern_sync.are_allowed(e.flags, pattern_sync.words_of(reach_of.rule, 'allow_flags'))
            )
        )
    INTO entries, pending, fitting_pending, fitting_savings, recent, fitting_recent, fitting, alone, extremes
    FROM (
        SELECT
            f.*,
            pattern_sync.rule_fits(
                reach_of.rule, f.confidence, f.occurrences, f.savings, f.kind, f.tools, f.workflows, f.days_seen,
                f.flags
            ) AS fits
        FROM (
            SELECT
                t.status = 'pending' AS pending,
                t.created_at >= pg_catalog.now() - '30 days'::interval AS recent,
                (t.confidence::numeric * 100::numeric)::double precision AS confidence,
                t.occurrences::double precision AS occurrences,
                t.savings,
                t.kind,
                pattern_sync.tools_of(t.shape) AS tools,
                t.workflows::double precision AS workflows,
                pattern_sync.days_between(t.first_seen, t.last_seen) AS days_seen,
                t.flags
            FROM pattern_sync.traits AS t
            OFFSET 0 -- made once, not for each use
        ) AS f
    ) AS e;
END $$;
COMMENT ON FUNCTION pattern_sync.reach_of(rule jsonb, OUT entries bigint, OUT pending bigint, OUT fitting_pending bigint, OUT fitting_savings double precision, OUT recent bigint, OUT fitting_recent bigint, OUT fitting bigint, OUT alone jsonb, OUT extremes jsonb) IS 'The entries that are there, and how many of them each bound of a rule lets through alone; the pending ones that it fits, and of those of the last 30 days how many there are and how many it fits, decided or not, with the extremes of their figures and the flags of one whose flags it does not allow.';
CREATE FUNCTION pattern_sync.reckon_savings() RETURNS TABLE(pattern_id text, day date, part text, source text, runs bigint, tried bigint, failed bigint, saved numeric, last_at timestamp with time zone, repeated bigint, superseded bigint)
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET enable_hashjoin TO 'on'
    SET work_mem TO '64MB'
    SET plan_cache_mode TO 'force_custom_plan'
    SET max_parallel_workers_per_gather TO '0'
    SET lock_timeout TO '2s'
    AS $_$
BEGIN
    RETURN QUERY
    WITH logged AS MATERIALIZED (SELECT l.* FROM pattern_sync.logged_runs() AS l),
    referred AS MATERIALIZED (
        SELECT l.reference, (
            SELECT pattern_sync.signature_at(CASE
                WHEN pg_catalog.textregexeq(l.reference, '^[0-9]{1,18}$') THEN l.reference::bigint
            END)
        ) AS signature
        FROM (SELECT DISTINCT f.reference FROM logged AS f) AS l
    ),
    recorded AS MATERIALIZED (SELECT r.* FROM pattern_sync.recorded_runs() AS r),
    savings AS MATERIALIZED (
        SELECT
            'cost_savings_log' AS source,
            CASE WHEN l.reference IS NULL THEN 'no-pattern' WHEN n.signature IS NULL THEN 'deleted' END AS lost,
            coalesce(n.signature, '') AS signature,
            l.workflow COLLATE "default" AS workflow, l.at, l.saved, l.times
        FROM logged AS l
        LEFT JOIN referred AS n ON n.reference = l.reference
        UNION ALL
        SELECT 'recorded_savings', NULL, r.signature, r.workflow, r.at, r.saved, r.times
        FROM recorded AS r
        WHERE r.success IS NULL
    ),
    executions AS (
        SELECT
            'pattern_executions' AS source, e.signature, e.workflow, e.at, e.saved, e.success, e.times
        FROM pattern_sync.executed_runs() AS e
        UNION ALL
        SELECT 'recorded_savings', r.signature, r.workflow, r.at, r.saved, r.success, r.times
        FROM recorded AS r
        WHERE r.success IS NOT NULL
    ),
    all_runs AS (
        SELECT s.*, NULL::boolean AS success, false AS superseded FROM savings AS s
        UNION ALL
        SELECT
            e.source, NULL, e.signature, e.workflow, e.at, e.saved, e.times, e.success,
            run.workflow IS NOT NULL OR on_day.day IS NOT NULL
        FROM executions AS e
        LEFT JOIN (
            SELECT DISTINCT s.signature, s.workflow FROM savings AS s WHERE s.at IS NOT NULL AND s.saved IS NOT NULL
        ) AS run ON run.signature = e.signature AND run.workflow = e.workflow
        LEFT JOIN (
            SELECT DISTINCT s.signature, (s.at AT TIME ZONE 'UTC')::date AS day
            FROM savings AS s
            WHERE s.at IS NOT NULL AND s.saved IS NOT NULL AND NOT pg_catalog.textregexeq(s.workflow, '^[0-9]+$')
        ) AS on_day ON on_day.signature = e.signature AND on_day.day = (e.at AT TIME ZONE 'UTC')::date
    ),
    approved AS MATERIALIZED (
        SELECT a.pattern_id::text COLLATE "default" AS signature, pattern_sync.approved_at(
            a.status::text, a.reviewed_at::timestamptz, a.created_at::timestamptz
        ) AS at
        FROM pattern_approvals AS a
        WHERE a.status::text IN ('approved', 'auto-approved')
    ),
    parted AS (
        SELECT r.*, CASE
            WHEN r.at IS NULL OR (r.saved IS NULL AND NOT r.superseded) THEN 'unusable'
            WHEN r.lost IS NOT NULL THEN r.lost
            WHEN a.signature IS NULL THEN 'undecided'
            WHEN r.at < a.at THEN 'baseline'
            ELSE 'saved'
        END AS part
        FROM all_runs AS r
        LEFT JOIN approved AS a ON a.signature = r.signature
    )
    SELECT
        p.signature,
        coalesce((p.at AT TIME ZONE 'UTC')::date, '1970-01-01'::date),
        p.part,
        p.source,
        CASE p.part
            WHEN 'unusable' THEN pg_catalog.sum(p.times)::bigint
            ELSE pg_catalog.count(*) FILTER (WHERE NOT p.superseded)
        END,
        pg_catalog.count(*) FILTER (WHERE p.success IS NOT NULL),
        pg_catalog.count(*) FILTER (WHERE NOT p.success),
        CASE p.part
            WHEN 'unusable' THEN 0::numeric
            ELSE coalesce(pg_catalog.sum(p.saved) FILTER (WHERE NOT p.superseded), 0::numeric)
        END,
        pg_catalog.max(p.at),
        pg_catalog.sum(p.times - 1::bigint)::bigint,
        pg_catalog.count(*) FILTER (WHERE p.superseded)
    FROM parted AS p
    GROUP BY p.signature, (p.at AT TIME ZONE 'UTC')::date, p.part, p.source;
END $_$;
COMMENT ON FUNCTION pattern_sync.reckon_savings() IS 'All runs, added up by pattern, day, part and source. The parts: `saved` after the pattern was approved; `baseline` before, which is what it cost without; `undecided` while nobody has approved it; `no-pattern`, whose row names none; `deleted`, whose pattern is gone; `unusable`, without a plain amount or time, of which only the rows are counted.';
CREATE FUNCTION pattern_sync.reconcile(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[], known_missing boolean DEFAULT false) RETURNS TABLE(row_id bigint, signature text, outcome text, reason text)
    LANGUAGE plpgsql
    SET lock_timeout TO '200ms'
    AS $$
DECLARE
    ids bigint[] := reconcile.row_ids;
    -- Only what is written in here is notified later, whatever else the transaction does. (SET is for superusers.)
    announced CONSTANT text := coalesce(pg_catalog.current_setting('pattern_sync.announced_later', true), '');
    chunk bigint[];
    few CONSTANT integer := 500;
    size integer := greatest(pg_catalog.cardinality(reconcile.row_ids), 1);
    position integer := 1;
    code text;
    raised_at text;
    patience CONSTANT interval := least(
        '1 s'::interval, pg_catalog.current_setting('deadlock_timeout')::interval
    ) / 2::double precision;
    until timestamptz;
BEGIN
    PERFORM pg_catalog.set_config('pattern_sync.announced_later', 'on', true);
    IF patience < '500 ms'::interval THEN
        PERFORM pg_catalog.set_config('lock_timeout', greatest(
            pg_catalog.floor(pg_catalog.date_part('epoch', patience) * 400::double precision), 1::double precision
        )::text, true);
    END IF;
    IF NOT pattern_sync.signature_is_unique() THEN
        ids := pattern_sync.spokesmen(min_confidence, min_occurrences, min_savings, only_types, exclude_types, ids);
    END IF;
    WHILE position <= pg_catalog.cardinality(ids) LOOP
        IF position > 1 AND pg_catalog.clock_timestamp() >= until THEN
            RETURN QUERY
            SELECT later.id, ''::text, 'untried'::text, NULL::text
            FROM pg_catalog.unnest(ids[position:]) AS later (id);
            EXIT;
        END IF;
        chunk := ids[position:position + size - 1];
        code := NULL;
        BEGIN
            RETURN QUERY
            SELECT w.row_id, pattern_sync.legible(w.signature), w.outcome, NULL::text
            FROM pattern_sync.write_entries(
                min_confidence, min_occurrences, min_savings, only_types, exclude_types,
                chunk, known_missing
            ) AS w;
        EXCEPTION WHEN OTHERS OR assert_failure OR query_canceled THEN
            -- If the queue has rules, every chunk ends here: PostgreSQL then refuses ON CONFLICT.
            GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, raised_at = PG_EXCEPTION_CONTEXT;
            until := coalesce(until, pg_catalog.clock_timestamp() + patience);
            IF pattern_sync.verdict(code, raised_at) = 'held' THEN
                PERFORM pg_catalog.set_config('lock_timeout', '20ms', true);
            END IF;
        END;
        IF code IS NOT NULL AND size > few THEN
            size := few;
            CONTINUE;
        END IF;
        IF code IS NOT NULL THEN
            RETURN QUERY
            SELECT e.row_id, pattern_sync.legible(e.signature), e.outcome, pattern_sync.legible(e.reason)
            FROM pattern_sync.write_each(
                min_confidence, min_occurrences, min_savings, only_types, exclude_types,
                chunk, known_missing, until
            ) AS e;
        ELSE
            PERFORM pattern_sync.forgive(chunk);
        END IF;
        position := position + pg_catalog.cardinality(chunk);
    END LOOP;
    PERFORM pg_catalog.set_config('pattern_sync.announced_later', announced, true);
END $$;
COMMENT ON FUNCTION pattern_sync.reconcile(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[], known_missing boolean) IS 'Bring the entries of some patterns up to date. Returns one row a pattern with its outcome: queued, refreshed, unchanged, decided, short; failed, with the server''s message, if the application refuses the row; held if somebody has locked it; untried if the time was up. One row never stops the others: after an error they are tried in chunks, and the patterns of a failing chunk one by one.';
CREATE FUNCTION pattern_sync.reconcile(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], max_age_days double precision, min_workflows bigint, row_ids bigint[]) RETURNS TABLE(row_id bigint, signature text, outcome text, reason text)
    LANGUAGE plpgsql
    AS $$
DECLARE
    enough bigint[] := reconcile.row_ids;
    others bigint[];
    patience CONSTANT text := pg_catalog.current_setting('lock_timeout');
BEGIN
    IF max_age_days IS NOT NULL OR min_workflows IS NOT NULL THEN
        BEGIN
            PERFORM pg_catalog.set_config('lock_timeout', '200ms', true);
            enough := pattern_sync.seen_enough(max_age_days, min_workflows, reconcile.row_ids);
            PERFORM pg_catalog.set_config('lock_timeout', patience, true);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            RETURN QUERY
            SELECT asked.id, pattern_sync.legible(pattern_sync.name_of(asked.id)), 'held'::text, NULL::text
            FROM pg_catalog.unnest(reconcile.row_ids) AS asked (id);
            RETURN;
        END;
        others := ARRAY(
            SELECT asked.id FROM pg_catalog.unnest(reconcile.row_ids) AS asked (id)
            EXCEPT
            SELECT kept.id FROM pg_catalog.unnest(enough) AS kept (id)
        );
        RETURN QUERY
        SELECT r.row_id, r.signature, r.outcome, r.reason
        FROM pattern_sync.reconcile(
            NULL::double precision, NULL::bigint, 'Infinity'::numeric, '{}'::text[], '{}'::text[], others
        ) AS r;
        -- In the given order, which is that of the impact.
        enough := ARRAY(
            SELECT asked.id
            FROM pg_catalog.unnest(reconcile.row_ids) WITH ORDINALITY AS asked (id, place)
            WHERE (asked.id IN (SELECT kept.id FROM pg_catalog.unnest(enough) AS kept (id))) IS TRUE
            ORDER BY asked.place
        );
    END IF;
    RETURN QUERY
    SELECT r.row_id, r.signature, r.outcome, r.reason
    FROM pattern_sync.reconcile(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, enough
    ) AS r;
END $$;
COMMENT ON FUNCTION pattern_sync.reconcile(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], max_age_days double precision, min_workflows bigint, row_ids bigint[]) IS 'Bring the entries of some patterns up to date by the whole filter. Where a pattern misses one of the last two criteria, its entry is refreshed, but none is queued: no figure meets savings of infinity. Time and occurrences are looked at once, before anything is written; if somebody has locked the occurrences, all patterns are held.';
CREATE FUNCTION pattern_sync.record_decisions(batch bigint, signatures text[], seen jsonb, names text[], evidence jsonb[], flags jsonb[]) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    positions CONSTANT jsonb := record_decisions.seen -> 'positions'::text;
    folding CONSTANT boolean := pattern_sync.shows_likelihoods();
    made record;
BEGIN
    SELECT b.* INTO STRICT made FROM pattern_sync.batches AS b WHERE b.id = record_decisions.batch;
    INSERT INTO pattern_sync.decisions (
        batch_id, pattern_id, decision, reviewer, decided_at, replaced, shown, likelihood, model_id, folded
    )
    SELECT
        made.id, a.signature, made.decision, made.reviewer, made.decided_at, made.replaces,
        pg_catalog.jsonb_build_object(
            'figures', pg_catalog.jsonb_build_object(
                'confidence', a.confidence,
                'occurrences', a.occurrences,
                'savings', a.savings,
                'impact', pattern_sync.impact(a.confidence::double precision, a.occurrences, a.savings)
            ),
            'traits', pg_catalog.jsonb_build_object(
                'kind', pattern_sync.kind_of(a.signature),
                'target', pattern_sync.target_of(a.signature),
                'shape', pattern_sync.shape_of(a.tool_sequence)
            ),
            'evidence', shown.evidence,
            'flags', shown.flags,
            'position', positions -> a.signature,
            'seconds', record_decisions.seen -> 'seconds'::text
        ),
        said.likelihood, said.model_id, CASE WHEN said.folds IS NOT NULL THEN said.folds AND folding END
    FROM (
        SELECT
            f.pattern_id::text AS signature,
            f.occurrence_count::bigint AS occurrences,
            f.tool_sequence::text AS tool_sequence,
            pattern_sync.figure(f.confidence_score::text::numeric) AS confidence,
            pattern_sync.figure(f.estimated_savings_usd::text::numeric) AS savings
        FROM pattern_approvals AS f
        WHERE f.pattern_id::text = ANY (record_decisions.signatures)
        OFFSET 0 -- made once, not for each use
    ) AS a
    LEFT JOIN ROWS FROM (
        pg_catalog.unnest(record_decisions.names),
        pg_catalog.unnest(record_decisions.evidence),
        pg_catalog.unnest(record_decisions.flags)
    ) AS shown (signature, evidence, flags) ON shown.signature COLLATE "C" = a.signature COLLATE "C"
    LEFT JOIN (
        SELECT p.pattern_id, p.likelihood, p.model_id, p.folds
        FROM pattern_sync.predictions AS p
        -- Of a decision that replaces another, nothing was foretold.
        WHERE p.pattern_id = ANY (record_decisions.signatures) AND made.replaces = 'pending'
    ) AS said ON said.pattern_id COLLATE "C" = a.signature COLLATE "C";
END $$;
COMMENT ON FUNCTION pattern_sync.record_decisions(batch bigint, signatures text[], seen jsonb, names text[], evidence jsonb[], flags jsonb[]) IS 'Record what the reviewer saw of each entry of a batch: figures, traits, evidence and flags, and where and how long; and what was foretold of the decision while the entry was pending.';
CREATE FUNCTION pattern_sync.record_execution(signature text, execution jsonb) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    recorded bigint;
    estimated CONSTANT numeric := (record_execution.execution ->> 'estimated_cost'::text)::numeric;
    actual CONSTANT numeric := (record_execution.execution ->> 'actual_cost'::text)::numeric;
    succeeded CONSTANT boolean := (record_execution.execution ->> 'success'::text)::boolean;
    ended_at CONSTANT timestamptz := coalesce(
        (record_execution.execution ->> 'executed_at'::text)::timestamptz, pg_catalog.clock_timestamp()
    );
BEGIN
    PERFORM FROM pattern_approvals AS a WHERE a.pattern_id::text = record_execution.signature;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF pg_catalog.to_regclass('pattern_executions') IS NOT NULL THEN
        PERFORM pattern_sync.check_writable('pattern_executions', (
            '{id,pattern_id,workflow_id,execution_time_seconds,estimated_time_seconds,actual_cost,estimated_cost,'
            'success,error_message,executed_at}'
        )::text[]);
        INSERT INTO pattern_executions (
            pattern_id, workflow_id, execution_time_seconds, estimated_time_seconds, actual_cost, estimated_cost,
            success, error_message, executed_at
        )
        VALUES (
            record_execution.signature,
            (record_execution.execution ->> 'workflow_id'::text)::integer,
            (record_execution.execution ->> 'execution_time_seconds'::text)::double precision,
            (record_execution.execution ->> 'estimated_time_seconds'::text)::double precision,
            actual, estimated, succeeded,
            record_execution.execution ->> 'error_message'::text,
            ended_at
        )
        RETURNING id INTO recorded;
        PERFORM pattern_sync.check_inserted(CASE WHEN recorded IS NULL THEN 0 ELSE 1 END);
        RETURN recorded;
    END IF;
    INSERT INTO pattern_sync.recorded_savings (
        pattern_id, workflow_id, saved_usd, saved_at, success, estimated_cost, actual_cost, estimated_seconds,
        actual_seconds, notes
    )
    VALUES (
        record_execution.signature,
        record_execution.execution ->> 'workflow_id'::text,
        CASE WHEN succeeded THEN estimated - actual ELSE - actual END,
        ended_at, succeeded, estimated, actual,
        (record_execution.execution ->> 'estimated_time_seconds'::text)::double precision,
        (record_execution.execution ->> 'execution_time_seconds'::text)::double precision,
        record_execution.execution ->> 'error_message'::text
    )
    RETURNING id INTO recorded;
    RETURN recorded;
END $$;
COMMENT ON FUNCTION pattern_sync.record_execution(signature text, execution jsonb) IS 'Record one execution of an automated pattern, as the application does: into its table or, where there is none, ours. Returns its id; NULL if the queue has no such pattern.';
CREATE FUNCTION pattern_sync.record_savings(signature text, usd numeric, workflow text, tool_call text, at timestamp with time zone, baseline_tokens bigint, actual_tokens bigint, notes text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    row_id CONSTANT bigint := (
        SELECT p.id::bigint FROM operation_patterns AS p
        WHERE p.pattern_signature::text = record_savings.signature
        ORDER BY p.id
        LIMIT 1
    );
    moment CONSTANT timestamptz := coalesce(record_savings.at, pg_catalog.clock_timestamp());
    inserted bigint;
BEGIN
    IF row_id IS NULL THEN
        RETURN NULL;
    END IF;
    IF pg_catalog.to_regclass('cost_savings_log') IS NOT NULL THEN
        PERFORM pattern_sync.check_writable('cost_savings_log', (
            '{optimization_type,workflow_id,tool_call_id,pattern_id,baseline_tokens,actual_tokens,tokens_saved,'
            'cost_saved_usd,saved_at,notes}'
        )::text[]);
        INSERT INTO cost_savings_log (
            optimization_type, workflow_id, tool_call_id, pattern_id, baseline_tokens, actual_tokens, tokens_saved,
            cost_saved_usd, saved_at, notes
        )
        VALUES (
            'pattern_offload', record_savings.workflow, record_savings.tool_call, row_id,
            coalesce(record_savings.baseline_tokens, 0), coalesce(record_savings.actual_tokens, 0),
            coalesce(record_savings.baseline_tokens - record_savings.actual_tokens, 0),
            record_savings.usd, moment, record_savings.notes
        );
        GET DIAGNOSTICS inserted = ROW_COUNT;
        PERFORM pattern_sync.check_inserted(inserted);
        RETURN 'cost_savings_log';
    END IF;
    INSERT INTO pattern_sync.recorded_savings (pattern_id, workflow_id, tool_call_id, saved_usd, saved_at, notes)
    VALUES (
        record_savings.signature, record_savings.workflow, record_savings.tool_call, record_savings.usd, moment,
        record_savings.notes
    );
    RETURN 'recorded_savings';
END $$;
COMMENT ON FUNCTION pattern_sync.record_savings(signature text, usd numeric, workflow text, tool_call text, at timestamp with time zone, baseline_tokens bigint, actual_tokens bigint, notes text) IS 'Record what one run of an automated pattern has saved. Returns the table that has it; NULL if there is no such pattern. The table is the application''s log or, where there is none, ours.';
CREATE FUNCTION pattern_sync.recorded_flags(shown jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE pg_catalog.left(pg_catalog.jsonb_extract_path_text(shown, 'flags'), 1)
        WHEN '[' THEN pg_catalog.translate(pg_catalog.jsonb_extract_path_text(shown, 'flags'), '[]"', '{}')::text[]
    END
$$;
COMMENT ON FUNCTION pattern_sync.recorded_flags(shown jsonb) IS 'The flags of an entry as a decision''s record has them, a list of plain words; NULL if it is not known. A conversion through text takes a fifth of what taking the list apart does.';
CREATE FUNCTION pattern_sync.recorded_runs() RETURNS TABLE(signature text, workflow text, at timestamp with time zone, saved numeric, estimated numeric, success boolean, times bigint)
    LANGUAGE sql STABLE
    AS $$
    SELECT
        r.pattern_id, r.workflow_id, pg_catalog.min(r.at), pg_catalog.min(r.saved), pg_catalog.min(r.estimated),
        pg_catalog.bool_and(r.success), pg_catalog.count(*)
    FROM (
        SELECT
            s.pattern_id,
            s.workflow_id,
            coalesce(s.tool_call_id, CASE WHEN s.workflow_id IS NULL THEN s.id::text END) AS call,
            pattern_sync.run_time(s.saved_at) AS at,
            pattern_sync.amount(s.saved_usd::text) AS saved,
            pattern_sync.amount(s.estimated_cost::text) AS estimated,
            s.success
        FROM pattern_sync.recorded_savings AS s
        OFFSET 0
    ) AS r
    GROUP BY r.pattern_id, r.workflow_id, r.call, r.success IS NULL, pattern_sync.second_of(r.at)
$$;
COMMENT ON FUNCTION pattern_sync.recorded_runs() IS 'What was recorded with us, as executed_runs; success is NULL of savings alone.';
CREATE FUNCTION pattern_sync.refresh_entries(row_ids bigint[]) RETURNS text[]
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    moved record;
    refreshed text[] := '{}';
BEGIN
    FOR moved IN SELECT o.* FROM pattern_sync.outdated(refresh_entries.row_ids) AS o ORDER BY o.signature LOOP
        PERFORM FROM pattern_approvals AS a
        WHERE a.pattern_id::text = moved.signature AND a.status::text = 'pending'
        FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        IF moved.differs THEN
            UPDATE pattern_approvals AS a
            SET
                confidence_score = CASE
                    WHEN moved.confidence_moved
                        THEN pattern_sync.wanted_confidence(moved.signature, moved.confidence)
                    ELSE a.confidence_score
                END,
                occurrence_count = CASE
                    WHEN moved.occurrences_moved THEN pattern_sync.entry_occurrences(moved.occurrences)
                    ELSE a.occurrence_count
                END,
                estimated_savings_usd = CASE
                    WHEN moved.savings_moved THEN pattern_sync.figure(moved.savings)
                    ELSE a.estimated_savings_usd
                END
            WHERE a.pattern_id::text = moved.signature AND a.status::text = 'pending';
            IF FOUND THEN
                refreshed := pg_catalog.array_append(refreshed, moved.signature);
            END IF;
        END IF;
        INSERT INTO pattern_sync.written AS w (pattern_id, confidence, occurrences, savings)
        VALUES (moved.signature, moved.confidence, moved.occurrences, moved.savings)
        ON CONFLICT (pattern_id) DO UPDATE
        SET confidence = EXCLUDED.confidence, occurrences = EXCLUDED.occurrences, savings = EXCLUDED.savings;
    END LOOP;
    RETURN refreshed;
END $$;
COMMENT ON FUNCTION pattern_sync.refresh_entries(row_ids bigint[]) IS 'Refresh some pending entries, each figure only if the source''s has moved since we last wrote it. Returns the signatures of the entries that were written. Whether or not the entry accepts a value, the value is not written again until the source moves. A locked entry is skipped, as a person may be deciding it; it is found again within seconds.';
CREATE FUNCTION pattern_sync.refresh_stale(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], after_id bigint, most bigint, OUT listed bigint, OUT refreshed bigint, OUT refreshed_signatures text[], OUT last_id bigint) RETURNS record
    LANGUAGE sql
    AS $$
    SELECT r.listed, r.refreshed, r.refreshed_signatures, r.last_id
    FROM pattern_sync.refresh_stale(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, NULL, NULL, after_id, most
    ) AS r
$$;
COMMENT ON FUNCTION pattern_sync.refresh_stale(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], after_id bigint, most bigint, OUT listed bigint, OUT refreshed bigint, OUT refreshed_signatures text[], OUT last_id bigint) IS 'refresh_stale of release 0.3.';
CREATE FUNCTION pattern_sync.refresh_stale(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], max_age_days double precision, min_workflows bigint, after_id bigint, most bigint, OUT listed bigint, OUT refreshed bigint, OUT refreshed_signatures text[], OUT last_id bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    stale bigint[];
BEGIN
    stale := pattern_sync.pick_stale(after_id, most);
    listed := pg_catalog.cardinality(stale);
    refreshed := 0;
    refreshed_signatures := '{}';
    last_id := stale[listed::integer];
    IF listed > 0::bigint THEN
        SELECT
            pg_catalog.count(*),
            coalesce((pg_catalog.array_agg(r.signature))[1:pattern_sync.most_named() + 1], '{}')
        INTO refreshed, refreshed_signatures
        FROM pattern_sync.reconcile(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types, max_age_days, min_workflows,
            stale
        ) AS r
        WHERE r.outcome = 'refreshed';
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.refresh_stale(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], max_age_days double precision, min_workflows bigint, after_id bigint, most bigint, OUT listed bigint, OUT refreshed bigint, OUT refreshed_signatures text[], OUT last_id bigint) IS 'Refresh the next stale entries, in the order of their patterns'' row ids. Returns how many were found and how many written, the signatures of the latter, and the row id after which the next call continues.';
CREATE FUNCTION pattern_sync.remark(signature text, reviewer text, comment text) RETURNS boolean
    LANGUAGE plpgsql
    SET lock_timeout TO '800ms'
    AS $$
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
COMMENT ON FUNCTION pattern_sync.remark(signature text, reviewer text, comment text) IS 'Write a person''s comment. Returns false if there is no such entry. Returns NULL, with nothing written, if a trigger, rule or policy of the application kept it out.';
CREATE FUNCTION pattern_sync.remember_rejections(signatures text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION pattern_sync.remember_rejections(signatures text[]) IS 'Remember rejections whose entries are deleted, if the pattern itself is not marked as rejected: it would be queued again. This runs with the owner''s rights, as an application need not have rights on our tables. It therefore accepts only callers that may delete entries: anybody else could use it to keep a pattern out of the queue.';
CREATE FUNCTION pattern_sync.request() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    SELECT pattern_sync.notify('*')
$$;
COMMENT ON FUNCTION pattern_sync.request() IS 'Request a scan of all patterns.';
CREATE FUNCTION pattern_sync.request(signature text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION pattern_sync.request(signature text) IS 'Request another look at one pattern. Returns false if there is no such pattern.';
CREATE FUNCTION pattern_sync.results_of_pending(at_least bigint) RETURNS TABLE(signature text, executions bigint, success_rate double precision, roi_percentage double precision, saved numeric)
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET enable_hashjoin TO 'on'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    RETURN QUERY
    SELECT
        r.signature,
        r.executions,
        (r.succeeded::numeric / r.executions::numeric)::double precision,
        CASE
            WHEN r.estimated > 0::numeric
                THEN greatest('-1000000'::numeric, r.saved / r.estimated * 100::numeric)::double precision
            ELSE 0::double precision
        END,
        r.saved
    FROM (
        SELECT
            e.signature,
            pg_catalog.count(*) AS executions,
            pg_catalog.count(*) FILTER (WHERE e.success) AS succeeded,
            coalesce(pg_catalog.sum(e.saved) FILTER (WHERE e.success), 0::numeric) AS saved,
            coalesce(pg_catalog.sum(e.estimated) FILTER (WHERE e.success), 0::numeric) AS estimated
        FROM (
            SELECT x.* FROM pattern_sync.executed_runs() AS x
            UNION ALL
            SELECT x.* FROM pattern_sync.recorded_runs() AS x WHERE x.success IS NOT NULL
        ) AS e
        WHERE e.saved IS NOT NULL AND e.at IS NOT NULL
        GROUP BY e.signature
    ) AS r
    JOIN pattern_approvals AS a ON a.pattern_id::text COLLATE "default" = r.signature
    WHERE a.status::text = 'pending' AND r.executions >= results_of_pending.at_least;
END $$;
COMMENT ON FUNCTION pattern_sync.results_of_pending(at_least bigint) IS 'The results of the executions of pending entries that have enough of them: how many there were, which share of them succeeded, and what those that did have saved of the estimated cost, in USD and in percent.';
CREATE FUNCTION pattern_sync.retry_message(message_id bigint) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    retried text;
BEGIN
    UPDATE pattern_sync.messages AS m
    SET state = 'open', due_at = pg_catalog.clock_timestamp(), ended_at = NULL, attempts = greatest(1, m.attempts)
    WHERE m.id = retry_message.message_id AND m.state IN ('open', 'dead')
    RETURNING m.channel INTO retried;
    DELETE FROM pattern_sync.channels AS c WHERE c.channel = retried;
    RETURN retried IS NOT NULL;
END $$;
COMMENT ON FUNCTION pattern_sync.retry_message(message_id bigint) IS 'Send a message once more: one that is dead, or that waits for its next attempt. Its channel is on again. False if there is no such message.';
CREATE FUNCTION pattern_sync.retry_refused(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], most bigint, OUT tried bigint, OUT failed bigint, OUT refused bigint, OUT reasons text[], OUT queued_signatures text[], OUT refreshed_signatures text[]) RETURNS record
    LANGUAGE sql
    AS $$
    SELECT r.tried, r.failed, r.refused, r.reasons, r.queued_signatures, r.refreshed_signatures
    FROM pattern_sync.retry_refused(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, NULL, NULL, most
    ) AS r
$$;
COMMENT ON FUNCTION pattern_sync.retry_refused(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], most bigint, OUT tried bigint, OUT failed bigint, OUT refused bigint, OUT reasons text[], OUT queued_signatures text[], OUT refreshed_signatures text[]) IS 'retry_refused of release 0.3.';
CREATE FUNCTION pattern_sync.retry_refused(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], max_age_days double precision, min_workflows bigint, most bigint, OUT tried bigint, OUT failed bigint, OUT refused bigint, OUT reasons text[], OUT queued_signatures text[], OUT refreshed_signatures text[]) RETURNS record
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    due bigint[];
    codes text[];
BEGIN
    SELECT pg_catalog.array_agg(ranked.row_id ORDER BY ranked.place, ranked.retry_at) INTO due
    FROM (
        SELECT r.row_id, r.retry_at, r.sqlstate,
            pg_catalog.row_number() OVER (PARTITION BY r.sqlstate ORDER BY r.retry_at, r.row_id) AS place
        FROM pattern_sync.refusals AS r
        -- No wait is longer than an hour; one that seems to be began before the server's clock was set back.
        WHERE r.retry_at <= pg_catalog.clock_timestamp()
            OR r.retry_at > pg_catalog.clock_timestamp() + '1 hour'::interval
        ORDER BY place, r.retry_at
        LIMIT most
    ) AS ranked;
    -- Patterns that another daemon is trying now are skipped. (A window function locks no rows.)
    SELECT
        pg_catalog.array_agg(locked.row_id ORDER BY locked.place),
        pg_catalog.array_agg(DISTINCT locked.sqlstate)
    INTO due, codes
    FROM (
        SELECT r.row_id, r.sqlstate, listed.place
        FROM pg_catalog.unnest(due) WITH ORDINALITY AS listed (row_id, place)
        CROSS JOIN LATERAL (
            SELECT f.* FROM pattern_sync.refusals AS f WHERE f.row_id = listed.row_id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) AS r
    ) AS locked;
    SELECT
        coalesce(pg_catalog.cardinality(due), 0)::bigint - pg_catalog.count(*) FILTER (WHERE r.outcome = 'untried'),
        pg_catalog.count(*) FILTER (WHERE r.outcome IN ('failed', 'held')),
        coalesce(pg_catalog.array_agg(r.signature) FILTER (WHERE r.outcome = 'queued'), '{}'),
        coalesce(pg_catalog.array_agg(r.signature) FILTER (WHERE r.outcome = 'refreshed'), '{}')
    INTO tried, failed, queued_signatures, refreshed_signatures
    FROM pattern_sync.reconcile(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types, max_age_days, min_workflows,
        coalesce(due, '{}')
    ) AS r;
    IF pg_catalog.cardinality(queued_signatures) > 0 OR pg_catalog.cardinality(refreshed_signatures) > 0 THEN
        UPDATE pattern_sync.refusals AS r
        SET retry_at = pg_catalog.clock_timestamp()
        WHERE r.row_id IN (
            SELECT f.row_id FROM pattern_sync.refusals AS f
            WHERE f.sqlstate = ANY (codes) AND f.retry_at > pg_catalog.clock_timestamp()
            FOR UPDATE SKIP LOCKED
        );
    END IF;
    refused := (SELECT pg_catalog.count(*) FROM pattern_sync.refusals AS r);
    reasons := ARRAY(
        SELECT pg_catalog.concat(r.pattern_id, ': ', r.reason)
        FROM pattern_sync.refusals AS r
        ORDER BY r.refused_at DESC, r.row_id
        LIMIT 5
    );
END $$;
COMMENT ON FUNCTION pattern_sync.retry_refused(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], max_age_days double precision, min_workflows bigint, most bigint, OUT tried bigint, OUT failed bigint, OUT refused bigint, OUT reasons text[], OUT queued_signatures text[], OUT refreshed_signatures text[]) IS 'Try quarantined patterns that are due again, at most `most`, starting with one of each kind of refusal. If one of a kind is queued, all others of its kind are due at once. Returns how many are left in the quarantine, and the latest reasons.';
CREATE FUNCTION pattern_sync.rows_of(signatures text[]) RETURNS bigint[]
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    RETURN coalesce(
        (
            SELECT pg_catalog.array_agg(p.id::bigint ORDER BY p.id::bigint)
            FROM operation_patterns AS p
            WHERE p.pattern_signature::text = ANY (rows_of.signatures)
        ),
        '{}'
    );
END $$;
COMMENT ON FUNCTION pattern_sync.rows_of(signatures text[]) IS 'The row ids of the patterns with some signatures.';
CREATE FUNCTION pattern_sync.rule_fits(rule jsonb, confidence double precision, occurrences double precision, savings double precision, kind text, tools text[], workflows double precision, days_seen double precision, flags text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT coalesce(
        pattern_sync.is_within(confidence, rule, 'min_confidence', 'max_confidence')
        AND pattern_sync.is_within(occurrences, rule, 'min_occurrences', 'max_occurrences')
        AND pattern_sync.is_within(savings, rule, 'min_savings', 'max_savings')
        AND pattern_sync.is_one_of(kind, rule, 'only_kinds', 'exclude_kinds')
        AND pattern_sync.is_within(workflows, rule, 'min_workflows', 'max_workflows')
        AND pattern_sync.is_within(days_seen, rule, 'min_days_seen', 'max_days_seen')
        AND (
            (
                pattern_sync.words_of(rule, 'needs_tools') IS NULL
                AND pattern_sync.words_of(rule, 'without_tools') IS NULL
            )
            OR pattern_sync.has_tools(
                tools, pattern_sync.words_of(rule, 'needs_tools'), pattern_sync.words_of(rule, 'without_tools')
            )
        )
        AND pattern_sync.are_allowed(flags, pattern_sync.words_of(rule, 'allow_flags')),
        false
    )
$$;
COMMENT ON FUNCTION pattern_sync.rule_fits(rule jsonb, confidence double precision, occurrences double precision, savings double precision, kind text, tools text[], workflows double precision, days_seen double precision, flags text[]) IS 'Whether an entry is within the bounds of a rule: the one definition, for trials, marks and decisions alike. The confidence is in percent, savings are USD a month.';
CREATE FUNCTION pattern_sync.rule_reviewer(rule_name text, version bigint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT pg_catalog.concat('rule:', rule_name, '@', version)
$$;
COMMENT ON FUNCTION pattern_sync.rule_reviewer(rule_name text, version bigint) IS 'The reviewer''s name under which a rule decides.';
CREATE FUNCTION pattern_sync.run_time(value timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT CASE
        WHEN value >= '0001-01-02 00:00+00'::timestamptz AND value < pg_catalog.now() + '1 day'::interval THEN value
    END
$$;
COMMENT ON FUNCTION pattern_sync.run_time(value timestamp with time zone) IS 'A time that a run can have: NULL where no client can represent it, or where it is more than a day ahead, which comes from a wrong clock.';
CREATE FUNCTION pattern_sync.saved(signature text, usd numeric, workflow text, tool_call text DEFAULT NULL::text, at timestamp with time zone DEFAULT NULL::timestamp with time zone, baseline_tokens bigint DEFAULT NULL::bigint, actual_tokens bigint DEFAULT NULL::bigint, notes text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
    stored text;
BEGIN
    IF (pattern_sync.amount(saved.usd::text) BETWEEN '-1000000000'::numeric AND '1000000000'::numeric) IS NOT TRUE THEN
        RAISE EXCEPTION 'usd is %; it must be a number of USD up to 1000000000 either way', saved.usd
            USING ERRCODE = '22023';
    END IF;
    IF (pg_catalog.length(saved.workflow) BETWEEN 1 AND 255) IS NOT TRUE THEN
        RAISE EXCEPTION 'workflow must name the run, in 1 to 255 characters: the same one counts once in a second'
            USING ERRCODE = '22023';
    END IF;
    IF saved.at IS NOT NULL AND pattern_sync.run_time(saved.at) IS NULL THEN
        RAISE EXCEPTION 'at is %; it must be a time that has come', saved.at USING ERRCODE = '22023';
    END IF;
    stored := pattern_sync.record_savings(
        saved.signature, saved.usd, saved.workflow, saved.tool_call, saved.at,
        saved.baseline_tokens, saved.actual_tokens, saved.notes
    );
    IF stored IS NULL THEN
        RAISE EXCEPTION 'no pattern has the signature %', pg_catalog.quote_nullable(saved.signature)
            USING ERRCODE = '22023', HINT = 'Signatures are in operation_patterns.pattern_signature.';
    END IF;
    RETURN stored;
END $$;
COMMENT ON FUNCTION pattern_sync.saved(signature text, usd numeric, workflow text, tool_call text, at timestamp with time zone, baseline_tokens bigint, actual_tokens bigint, notes text) IS 'Record what one run of an automated pattern has saved, in USD; less than 0 if it cost more than before. Returns the table that has it. The same workflow (and tool call) in the same second counts once.';
CREATE FUNCTION pattern_sync.savings() RETURNS TABLE(pattern_id text, part text, logged bigint, executed bigint, recorded bigint, tried bigint, failed bigint, saved numeric, last_at timestamp with time zone, repeated bigint, superseded bigint, days text)
    LANGUAGE plpgsql STABLE
    SET work_mem TO '64MB'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
BEGIN
    RETURN QUERY
    SELECT
        d.pattern_id,
        d.part,
        coalesce(pg_catalog.sum(d.runs) FILTER (WHERE d.source = 'cost_savings_log'), 0)::bigint,
        coalesce(pg_catalog.sum(d.runs) FILTER (WHERE d.source = 'pattern_executions'), 0)::bigint,
        coalesce(pg_catalog.sum(d.runs) FILTER (WHERE d.source = 'recorded_savings'), 0)::bigint,
        pg_catalog.sum(d.tried)::bigint,
        pg_catalog.sum(d.failed)::bigint,
        pg_catalog.sum(d.saved),
        pg_catalog.max(d.last_at),
        pg_catalog.sum(d.repeated)::bigint,
        pg_catalog.sum(d.superseded)::bigint,
        pg_catalog.string_agg(pg_catalog.concat(d.day - '1970-01-01'::date, ':', d.saved), ' ')
            FILTER (WHERE d.part = 'saved')
    FROM pattern_sync.savings_days() AS d
    GROUP BY d.pattern_id, d.part;
END $$;
COMMENT ON FUNCTION pattern_sync.savings() IS 'What every pattern''s runs add up to, part by part. `days` holds the savings of each day with a run, as days since 1970 and an amount: 20000:0.41 20001:1.20; of the part `saved` only.';
CREATE FUNCTION pattern_sync.savings_are_kept() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT EXISTS (
        SELECT FROM pattern_sync.savings_kept AS k WHERE k.kept_at > pg_catalog.now() - '1 day'::interval
    )
$$;
COMMENT ON FUNCTION pattern_sync.savings_are_kept() IS 'Whether the days that a sweep has added up are there, and not older than a day.';
CREATE FUNCTION pattern_sync.savings_days() RETURNS TABLE(pattern_id text, day date, part text, source text, runs bigint, tried bigint, failed bigint, saved numeric, last_at timestamp with time zone, repeated bigint, superseded bigint)
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF pattern_sync.savings_are_kept() THEN
        RETURN QUERY SELECT d.* FROM pattern_sync.savings_by_day AS d;
    ELSE
        RETURN QUERY SELECT d.* FROM pattern_sync.reckon_savings() AS d;
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.savings_days() IS 'The days of all patterns: those that a sweep has added up or, where there are few runs, those of this moment.';
CREATE FUNCTION pattern_sync.second_of(value timestamp with time zone) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT pg_catalog.floor(pg_catalog.date_part('epoch'::text, value))::bigint
$$;
COMMENT ON FUNCTION pattern_sync.second_of(value timestamp with time zone) IS 'The second of a time, as a number; NULL if there is none.';
CREATE FUNCTION pattern_sync.seconds_since(value timestamp with time zone) RETURNS double precision
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT pg_catalog.date_part('epoch'::text, pg_catalog.now() - value)
$$;
COMMENT ON FUNCTION pattern_sync.seconds_since(value timestamp with time zone) IS 'The seconds since a time.';
CREATE FUNCTION pattern_sync.seen(row_ids bigint[], counted boolean) RETURNS TABLE(row_id bigint, last_seen timestamp with time zone, workflows bigint)
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH own AS MATERIALIZED (
        SELECT each.id, pattern_sync.moment(each.at) AS at
        FROM (SELECT NULL::timestamptz AS last_seen) AS lacking
        CROSS JOIN LATERAL (
            -- The name of the time stands alone: where the table lacks the column, it means the NULL above. The row as
            -- JSON would do as well, and takes fifty times as long.
            SELECT p.id::bigint AS id, last_seen::timestamptz AS at
            FROM operation_patterns AS p
            WHERE p.id = ANY (seen.row_ids)
        ) AS each
    )
    SELECT own.id, coalesce(own.at, pattern_sync.moment(s.last_seen)), coalesce(s.workflows, 0::bigint)
    FROM own
    LEFT JOIN pattern_sync.sightings(ARRAY(SELECT f.id FROM own AS f WHERE seen.counted OR f.at IS NULL)) AS s
        ON s.row_id = own.id;
END $$;
COMMENT ON FUNCTION pattern_sync.seen(row_ids bigint[], counted boolean) IS 'When some patterns were last seen, and in how many distinct workflows. The pattern''s own time counts; where it has none, or the application has no such column, that of its last recorded occurrence does. Workflows that are not `counted` are only looked for where a pattern has no time of its own.';
CREATE FUNCTION pattern_sync.seen_enough(max_age_days double precision, min_workflows bigint, row_ids bigint[]) RETURNS bigint[]
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce(pg_catalog.array_agg(s.row_id), '{}')
    FROM pattern_sync.seen(seen_enough.row_ids, seen_enough.min_workflows IS NOT NULL) AS s
    WHERE pattern_sync.is_seen_enough(
        s.last_seen, s.workflows, seen_enough.max_age_days, seen_enough.min_workflows
    )
$$;
COMMENT ON FUNCTION pattern_sync.seen_enough(max_age_days double precision, min_workflows bigint, row_ids bigint[]) IS 'Those of some patterns that meet the last two criteria.';
CREATE FUNCTION pattern_sync.send(channel text, payload text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF pg_catalog.lower(pg_catalog.current_setting('pattern_sync.quiet', true)) IN ('on', 'true', 'yes', '1')
        OR pg_catalog.pg_notification_queue_usage() >= 0.5::double precision
    THEN
        PERFORM pattern_sync.mark(send.channel, send.payload);
    ELSE
        PERFORM pg_catalog.pg_notify(send.channel, send.payload);
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.send(channel text, payload text) IS 'Notify a channel of ours, or leave a mark instead in two cases. A quiet writer (pattern_sync.quiet = on, for a role, a database or a transaction) must not notify, as PostgreSQL refuses PREPARE TRANSACTION after a NOTIFY. No writer may notify while the notification queue is half full, as a full queue would fail the writer''s commit.';
CREATE FUNCTION pattern_sync.sendable(channels text[]) RETURNS TABLE(id bigint, at timestamp with time zone)
    LANGUAGE sql STABLE
    AS $$
    SELECT m.id, greatest(m.due_at, m.claimed_until)
    FROM pattern_sync.messages AS m
    WHERE m.state = 'open'
      AND m.channel = ANY (sendable.channels)
      AND NOT pattern_sync.is_off(m.channel)
      AND NOT EXISTS (
          SELECT FROM pattern_sync.messages AS earlier
          WHERE earlier.state = 'open' AND earlier.channel = m.channel AND earlier.attempts > 0 AND earlier.id < m.id
            AND (m.kind <> 'rule_paused' OR earlier.kind = 'rule_paused')
      )
$$;
COMMENT ON FUNCTION pattern_sync.sendable(channels text[]) IS 'The open messages of some channels that may be sent, each from its time on. Over one channel they go in their order: one that could not be sent yet holds back those that still gather, which costs nothing, as they go on gathering. Only that a rule is paused does not wait behind others: it may be they that a receiver does not take.';
CREATE FUNCTION pattern_sync.set_rule(rule_name text, version bigint, terms jsonb, who text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    own pattern_sync.rules;
BEGIN
    SELECT r.* INTO own FROM pattern_sync.rules AS r WHERE r.name = set_rule.rule_name FOR UPDATE;
    IF coalesce(own.version, 0::bigint) <> set_rule.version THEN
        RETURN NULL;
    END IF;
    IF own.name IS NULL THEN
        INSERT INTO pattern_sync.rules (
            name, verdict, min_confidence, max_confidence, min_occurrences, min_savings, max_savings,
            only_kinds, exclude_kinds, needs_tools, without_tools, min_workflows, min_days_seen, allow_flags,
            wait_hours, per_day, check_share, agreement, changed_by
        )
        SELECT
            set_rule.rule_name, t.verdict, t.min_confidence, t.max_confidence, t.min_occurrences, t.min_savings,
            t.max_savings, t.only_kinds, t.exclude_kinds, t.needs_tools, t.without_tools, t.min_workflows,
            t.min_days_seen, t.allow_flags, t.wait_hours, t.per_day, t.check_share, t.agreement, set_rule.who
        FROM pg_catalog.jsonb_populate_record(NULL::pattern_sync.rules, set_rule.terms) AS t
        ON CONFLICT DO NOTHING;
        RETURN CASE WHEN FOUND THEN 1::bigint END;
    END IF;
    IF pg_catalog.to_jsonb(own) || set_rule.terms = pg_catalog.to_jsonb(own) THEN
        RETURN own.version;
    END IF;
    UPDATE pattern_sync.rules AS r
    SET
        (
            version, state, paused_because, full_at, changed_by, changed_at,
            verdict, min_confidence, max_confidence, min_occurrences, min_savings, max_savings,
            only_kinds, exclude_kinds, needs_tools, without_tools, min_workflows, min_days_seen, allow_flags,
            wait_hours, per_day, check_share, agreement
        ) = (
            SELECT
                own.version + 1::bigint, CASE own.state WHEN 'off' THEN 'off' ELSE 'watching' END, NULL::text,
                NULL::timestamptz,
                set_rule.who, pg_catalog.clock_timestamp(),
                t.verdict, t.min_confidence, t.max_confidence, t.min_occurrences, t.min_savings, t.max_savings,
                t.only_kinds, t.exclude_kinds, t.needs_tools, t.without_tools, t.min_workflows, t.min_days_seen,
                t.allow_flags, t.wait_hours, t.per_day, t.check_share, t.agreement
            FROM pg_catalog.jsonb_populate_record(NULL::pattern_sync.rules, set_rule.terms) AS t
        )
    WHERE r.name = own.name;
    PERFORM pattern_sync.end_marks(own.name);
    RETURN own.version + 1::bigint;
END $$;
COMMENT ON FUNCTION pattern_sync.set_rule(rule_name text, version bigint, terms jsonb, who text) IS 'Write a rule: a new one if `version` is 0, else in place of that version, which has to be the latest. A change is a new version; a rule that was not off watches again. Returns the version from now on; NULL if another was written meanwhile.';
CREATE FUNCTION pattern_sync.settle_message(message_id bigint, attempts integer, state text, status integer, error text, retry_seconds double precision, outcome text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    settled pattern_sync.messages;
BEGIN
    UPDATE pattern_sync.messages AS m
    SET
        state = settle_message.state,
        last_status = settle_message.status,
        last_error = settle_message.error,
        claimed_until = NULL,
        due_at = CASE settle_message.state
            WHEN 'open'
                THEN pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => settle_message.retry_seconds)
            ELSE m.due_at
        END,
        ended_at = CASE WHEN settle_message.state <> 'open' THEN pg_catalog.clock_timestamp() END
    WHERE m.id = settle_message.message_id AND m.attempts = settle_message.attempts AND m.state = 'open'
    RETURNING m.* INTO settled;
    IF settled.id IS NULL THEN
        RETURN false;
    END IF;
    CASE settle_message.outcome
        WHEN 'delivered' THEN
            DELETE FROM pattern_sync.channels AS c WHERE c.channel = settled.channel;
        WHEN 'refused', 'gone' THEN
            INSERT INTO pattern_sync.channels AS c (channel, refusals, reason, off_since)
            VALUES (
                settled.channel, 1, settle_message.error,
                CASE settle_message.outcome WHEN 'gone' THEN pg_catalog.clock_timestamp() END
            )
            ON CONFLICT (channel) DO UPDATE
            SET
                refusals = c.refusals + 1,
                reason = EXCLUDED.reason,
                off_since = coalesce(c.off_since, CASE
                    WHEN settle_message.outcome = 'gone' OR c.refusals >= 2 THEN pg_catalog.clock_timestamp()
                END);
        ELSE
            NULL;
    END CASE;
    RETURN true;
END $$;
COMMENT ON FUNCTION pattern_sync.settle_message(message_id bigint, attempts integer, state text, status integer, error text, retry_seconds double precision, outcome text) IS 'Note how an attempt ended: the message is `state` from now on, and due again after so many seconds if it is still open. A receiver that asks for no more, or refuses for the third time in a row, turns its channel off. False if another daemon has taken the message meanwhile: what is late changes nothing.';
CREATE FUNCTION pattern_sync.shape_of(sequence text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
DECLARE
    arrow CONSTANT text := pattern_sync.arrow();
    tool text;
    previous text;
    shape text;
BEGIN
    FOREACH tool IN ARRAY coalesce(pg_catalog.string_to_array(shape_of.sequence, arrow), '{}'::text[]) LOOP
        IF shape IS NULL THEN
            shape := tool;
        ELSIF tool <> previous THEN
            shape := shape || arrow || tool;
        END IF;
        previous := tool;
    END LOOP;
    RETURN coalesce(shape, '');
END $$;
COMMENT ON FUNCTION pattern_sync.shape_of(sequence text) IS 'The shape of a sequence of tools: a tool that follows itself counts once. It is a loop: a query for each entry takes twice as long, and a regular expression with a back reference, on long sequences, five times.';
CREATE FUNCTION pattern_sync.shown_entries(signatures text[]) RETURNS TABLE(pattern_id text, tool_sequence text, status text, confidence_score double precision, occurrence_count bigint, estimated_savings_usd double precision, impact_score double precision, pattern_context text, example_sessions text, reviewed_by text, reviewed_at timestamp with time zone, approval_notes text, created_at timestamp with time zone, evidence text, from_pattern boolean, snooze text, mark text, likelihood double precision, folded boolean, place bigint)
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    recorded CONSTANT jsonb := pattern_sync.evidence_by_signature(shown_entries.signatures);
    foretells CONSTANT boolean := pattern_sync.shows_likelihoods();
BEGIN
    RETURN QUERY
    SELECT
        pattern_sync.legible(a.pattern_id::text),
        coalesce(pattern_sync.legible(a.tool_sequence::text), 'Unknown'),
        coalesce(a.status::text, ''),
        figures.confidence,
        coalesce(a.occurrence_count::bigint, 0::bigint),
        figures.savings,
        pattern_sync.impact(figures.confidence, a.occurrence_count::bigint, figures.savings::numeric),
        pattern_sync.legible(a.pattern_context::text),
        pattern_sync.legible(a.example_sessions::text),
        pattern_sync.legible(a.reviewed_by::text),
        pattern_sync.moment(a.reviewed_at::timestamptz),
        pattern_sync.legible(a.approval_notes::text),
        pattern_sync.moment(a.created_at::timestamptz),
        -- Without the names, which may be bytes that no client can read.
        (recorded -> a.pattern_id::text #- '{signature}'::text[] #- '{carried,signature}'::text[])::text,
        pattern_sync.is_from_pattern(a.pattern_id::text),
        -- What is decided is not snoozed, whoever has decided it.
        CASE WHEN a.status::text = 'pending' THEN pattern_sync.snooze_of(a.pattern_id::text, figures.savings) END::text,
        CASE WHEN a.status::text = 'pending' THEN pattern_sync.mark_of(a.pattern_id::text) END::text,
        said.likelihood,
        coalesce(said.folds, false),
        pg_catalog.array_position(shown_entries.signatures, a.pattern_id::text)::bigint
    FROM pattern_approvals AS a
    CROSS JOIN LATERAL (
        SELECT
            pattern_sync.figure(a.confidence_score::text::numeric)::double precision AS confidence,
            pattern_sync.figure(a.estimated_savings_usd::text::numeric)::double precision AS savings
    ) AS figures
    LEFT JOIN (
        SELECT p.pattern_id, p.likelihood, p.folds
        FROM pattern_sync.predictions AS p
        WHERE p.pattern_id = ANY (shown_entries.signatures) AND foretells
    ) AS said ON said.pattern_id = a.pattern_id::text COLLATE "default" AND a.status::text = 'pending'
    WHERE a.pattern_id::text = ANY (shown_entries.signatures);
END $$;
COMMENT ON FUNCTION pattern_sync.shown_entries(signatures text[]) IS 'Some entries as people see them, with the place of their names in the array.';
CREATE FUNCTION pattern_sync.shown_savings() RETURNS double precision
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    pending text[];
    known text[];
BEGIN
    IF NOT pattern_sync.is_short_queue() THEN
        RETURN (
            SELECT pg_catalog.sum(pg_catalog.round(t.evidence * 100::double precision)) / 100::double precision
            FROM pattern_sync.traits AS t
            WHERE t.status = 'pending'
        );
    END IF;
    pending := ARRAY(SELECT a.pattern_id::text FROM pattern_approvals AS a WHERE a.status::text = 'pending');
    known := ARRAY(SELECT t.pattern_id FROM pattern_sync.traits AS t WHERE t.pattern_id = ANY (pending));
    RETURN (
        SELECT pg_catalog.round(pg_catalog.sum(each.savings), 2)::double precision
        FROM (
            SELECT t.evidence::numeric AS savings
            FROM pattern_sync.traits AS t
            WHERE t.pattern_id = ANY (known)
            UNION ALL
            SELECT e.savings_by_evidence::numeric
            FROM pattern_sync.evidence(ARRAY(
                SELECT p.signature FROM pg_catalog.unnest(pending) AS p (signature)
                EXCEPT
                SELECT k.signature FROM pg_catalog.unnest(known) AS k (signature)
            ), NULL) AS e
        ) AS each
    );
END $$;
COMMENT ON FUNCTION pattern_sync.shown_savings() IS 'The savings by evidence of all pending entries together: of what the traits know, and in a short queue also of what they do not know yet, or have not heard of since. NULL if no pending entry shows any, or no traits are there yet.';
CREATE FUNCTION pattern_sync.shows_likelihoods() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce((SELECT m.shown FROM pattern_sync.newest_model() AS m), false)
$$;
COMMENT ON FUNCTION pattern_sync.shows_likelihoods() IS 'Whether entries have likelihoods.';
CREATE FUNCTION pattern_sync.sightings(row_ids bigint[]) RETURNS TABLE(row_id bigint, workflows bigint, first_seen timestamp with time zone, last_seen timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    earliest CONSTANT timestamptz := '0001-01-02 00:00+00';
    latest CONSTANT timestamptz := pg_catalog.now() + '1 day'::interval;
    left_over bigint[] := sightings.row_ids;
    ids bigint[];
    counts bigint[];
    firsts timestamptz[];
    lasts timestamptz[];
BEGIN
    IF pg_catalog.cardinality(sightings.row_ids) = 0 OR NOT pattern_sync.examples_can_be_read() THEN
        RETURN;
    END IF;
    IF pattern_sync.workflows_are_unique() THEN
        SELECT
            pg_catalog.array_agg(o.pattern_id), pg_catalog.array_agg(o.workflows),
            pg_catalog.array_agg(o.first), pg_catalog.array_agg(o.last)
        INTO ids, counts, firsts, lasts
        FROM (
            SELECT
                f.pattern_id::bigint AS pattern_id,
                pg_catalog.count(f.workflow_id) AS workflows,
                pg_catalog.min(f.detected_at)::timestamptz AS first,
                pg_catalog.max(f.detected_at)::timestamptz AS last
            FROM pattern_occurrences AS f
            WHERE f.pattern_id = ANY (sightings.row_ids)
            GROUP BY f.pattern_id::bigint
        ) AS o;
        RETURN QUERY
        SELECT o.id, o.workflows, o.first, o.last
        FROM ROWS FROM (
            pg_catalog.unnest(ids), pg_catalog.unnest(counts), pg_catalog.unnest(firsts), pg_catalog.unnest(lasts)
        ) AS o (id, workflows, first, last)
        WHERE o.first >= earliest AND o.last <= latest;
        left_over := ARRAY(
            SELECT o.id
            FROM ROWS FROM (
                pg_catalog.unnest(ids), pg_catalog.unnest(firsts), pg_catalog.unnest(lasts)
            ) AS o (id, first, last)
            WHERE (o.first >= earliest AND o.last <= latest) IS NOT TRUE
        );
    END IF;
    IF pg_catalog.cardinality(left_over) > 0 THEN
        RETURN QUERY
        SELECT
            once.pattern_id, pg_catalog.count(once.workflow_id), pg_catalog.min(once.first), pg_catalog.max(once.last)
        FROM (
            SELECT
                o.pattern_id,
                o.workflow_id,
                pg_catalog.min(o.at) FILTER (WHERE o.at BETWEEN earliest AND latest) AS first,
                pg_catalog.max(o.at) FILTER (WHERE o.at BETWEEN earliest AND latest) AS last
            FROM (
                SELECT
                    f.pattern_id::bigint AS pattern_id,
                    f.workflow_id::text COLLATE "C" AS workflow_id,
                    f.detected_at::timestamptz AS at
                FROM pattern_occurrences AS f
                WHERE f.pattern_id = ANY (left_over)
                OFFSET 0 -- a time is converted once, not for each use
            ) AS o
            GROUP BY o.pattern_id, o.workflow_id
        ) AS once
        GROUP BY once.pattern_id;
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.sightings(row_ids bigint[]) IS 'The distinct workflows of some patterns by row id, and when the first and the last of their occurrences was detected; no row for a pattern without any. It is empty where the examples cannot be read, for the same reasons. A time that no client can represent, or that is more than a day ahead, comes from a wrong clock and is left out.';
CREATE FUNCTION pattern_sync.signature_at(row_id bigint) RETURNS text
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    RETURN (SELECT p.pattern_signature::text FROM operation_patterns AS p WHERE p.id = signature_at.row_id LIMIT 1);
END $$;
COMMENT ON FUNCTION pattern_sync.signature_at(row_id bigint) IS 'The signature of the pattern in a row; NULL if there is no such row.';
CREATE FUNCTION pattern_sync.signature_is_unique() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT pattern_sync.is_indexed('operation_patterns', 'pattern_signature', true)
$$;
COMMENT ON FUNCTION pattern_sync.signature_is_unique() IS 'Whether each pattern has only one row. Without a unique key on the signature it may have several.';
CREATE FUNCTION pattern_sync.snooze(signature text, until timestamp with time zone, until_doubled boolean, reviewer text, reason text) RETURNS text
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET lock_timeout TO '800ms'
    AS $$
DECLARE
    savings double precision;
BEGIN
    SELECT pattern_sync.figure(a.estimated_savings_usd::text::numeric)::double precision INTO savings
    FROM pattern_approvals AS a
    WHERE a.pattern_id::text = snooze.signature AND a.status::text = 'pending';
    IF NOT FOUND THEN
        RETURN 'none';
    END IF;
    IF snooze.until_doubled AND savings <= 0::double precision THEN
        RETURN 'zero';
    END IF;
    DELETE FROM pattern_sync.snoozes AS s
    WHERE s.pattern_id = ANY (ARRAY(
        SELECT f.pattern_id FROM pattern_sync.snoozes AS f
        WHERE f.until < pg_catalog.now() - '7 days'::interval
        LIMIT 100
        FOR UPDATE SKIP LOCKED
    ));
    INSERT INTO pattern_sync.snoozes AS s (pattern_id, reviewer, reason, until, until_savings, since)
    VALUES (
        snooze.signature, snooze.reviewer, snooze.reason, snooze.until,
        CASE WHEN snooze.until_doubled THEN 2::double precision * savings END, pg_catalog.now()
    )
    ON CONFLICT (pattern_id) DO UPDATE
    SET
        reviewer = EXCLUDED.reviewer, reason = EXCLUDED.reason, until = EXCLUDED.until,
        until_savings = EXCLUDED.until_savings, since = EXCLUDED.since;
    PERFORM pattern_sync.tell_changes('refreshed', ARRAY[snooze.signature]);
    RETURN 'snoozed';
END $$;
COMMENT ON FUNCTION pattern_sync.snooze(signature text, until timestamp with time zone, until_doubled boolean, reviewer text, reason text) IS 'Put a pending entry off until a time, or until its savings have doubled, or whichever comes first, in place of an earlier wish. Returns ''snoozed''; ''zero'', as no savings are there that could double; or ''none'', as no such entry is pending. The review pages are told, and wishes that were over a week ago are forgotten.';
CREATE FUNCTION pattern_sync.snooze_of(signature text, savings double precision) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    RETURN (
        SELECT pg_catalog.jsonb_build_object(
            'until', pg_catalog.date_part('epoch', s.until),
            'until_doubled', s.until_savings IS NOT NULL,
            'by', pattern_sync.legible(s.reviewer),
            'since', pg_catalog.date_part('epoch', s.since),
            'reason', pattern_sync.legible(s.reason)
        )
        FROM pattern_sync.snoozes AS s
        WHERE s.pattern_id = snooze_of.signature COLLATE "default"
          AND pattern_sync.is_asleep(s.until, s.until_savings, snooze_of.savings)
    );
END $$;
COMMENT ON FUNCTION pattern_sync.snooze_of(signature text, savings double precision) IS 'The wish of somebody to see an entry later that holds at its present savings, as an object; NULL if there is none.';
CREATE FUNCTION pattern_sync.source_fault(table_name text, needed text[], time_column text) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    relation CONSTANT oid := pg_catalog.to_regclass(source_fault.table_name)::oid;
    lacking text;
BEGIN
    IF relation IS NULL THEN
        RETURN 'it is missing';
    END IF;
    lacking := pattern_sync.lacking(source_fault.table_name, source_fault.needed);
    IF lacking IS NOT NULL THEN
        RETURN 'it lacks ' || lacking;
    END IF;
    IF NOT pg_catalog.has_table_privilege(relation, 'SELECT') THEN
        RETURN pg_catalog.format(
            'this role may not read it; as its owner: GRANT SELECT ON %s TO %I;', relation::regclass, current_user
        );
    END IF;
    IF pg_catalog.row_security_active(relation) THEN
        RETURN 'its row-level security hides rows from this role';
    END IF;
    RETURN (
        SELECT pg_catalog.format('its %s is no time', source_fault.time_column)
        FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = relation AND a.attname::text = source_fault.time_column COLLATE "C"
          AND t.typcategory <> 'D'::"char"
    );
END $$;
COMMENT ON FUNCTION pattern_sync.source_fault(table_name text, needed text[], time_column text) IS 'Why a table of runs cannot be read, in words for a person; NULL if it can. A row needs these columns, and its time has to be one.';
CREATE FUNCTION pattern_sync.spokesmen(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[]) RETURNS bigint[]
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    AS $$
DECLARE
    best bigint[];
BEGIN
    SELECT pg_catalog.array_agg(spoken.id) INTO best
    FROM (
        SELECT DISTINCT ON (p.pattern_signature::text COLLATE "default") p.id::bigint AS id
        FROM operation_patterns AS p
        WHERE p.pattern_signature::text COLLATE "default" IN (
            SELECT named.pattern_signature::text COLLATE "default"
            FROM operation_patterns AS named
            WHERE named.id = ANY (spokesmen.row_ids)
        )
        ORDER BY
            p.pattern_signature::text COLLATE "default",
            pattern_sync.is_candidate(
                p.*, min_confidence, min_occurrences, min_savings, only_types, exclude_types
            ) DESC,
            pattern_sync.impact(
                p.confidence_score::double precision, p.occurrence_count::bigint, p.potential_monthly_savings::numeric
            ) DESC,
            p.id::bigint
    ) AS spoken;
    RETURN coalesce(best, '{}');
END $$;
COMMENT ON FUNCTION pattern_sync.spokesmen(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[]) IS 'The row that represents each signature when several rows share it: one that qualifies, then the best impact, then the lowest row id. Any of the rows stands for its signature.';
CREATE FUNCTION pattern_sync.standing(signatures text[], written text[], refused jsonb) RETURNS TABLE(place bigint, signature text, is_written boolean, is_refused boolean, detail text, status text, reviewed_by text, reviewed_at timestamp with time zone, notes text, savings double precision)
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
DECLARE
    -- Looked up in an object: a list would be searched from its beginning for each entry where memory is short.
    done CONSTANT jsonb := (
        SELECT pg_catalog.jsonb_object_agg(w.signature, true) FROM pg_catalog.unnest(standing.written) AS w (signature)
    );
BEGIN
    RETURN QUERY
    SELECT
        asked.place, asked.signature,
        coalesce(done ? asked.signature, false),
        standing.refused ? asked.signature,
        standing.refused ->> asked.signature,
        a.status, a.reviewed_by, a.reviewed_at, a.notes, a.savings
    FROM pg_catalog.unnest(standing.signatures) WITH ORDINALITY AS asked (signature, place)
    LEFT JOIN (
        SELECT
            f.pattern_id::text AS signature,
            f.status::text AS status,
            f.reviewed_by::text AS reviewed_by,
            pattern_sync.moment(f.reviewed_at::timestamptz) AS reviewed_at,
            f.approval_notes::text AS notes,
            pattern_sync.figure(f.estimated_savings_usd::text::numeric)::double precision AS savings
        FROM pattern_approvals AS f
        WHERE f.pattern_id::text = ANY (standing.signatures)
    ) AS a ON a.signature = asked.signature;
END $$;
COMMENT ON FUNCTION pattern_sync.standing(signatures text[], written text[], refused jsonb) IS 'How some entries stand after a decision or an undo, in the given order.';
CREATE FUNCTION pattern_sync.standing_batch(signature text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    RETURN (
        SELECT pg_catalog.max(i.batch_id) FROM pattern_sync.batch_items AS i
        WHERE i.pattern_id = standing_batch.signature AND i.undone_at IS NULL
    );
END $$;
COMMENT ON FUNCTION pattern_sync.standing_batch(signature text) IS 'The batch whose decision stands on an entry; NULL if it was made by another program, or is forgotten.';
CREATE FUNCTION pattern_sync.standing_pauses() RETURNS TABLE(id bigint, rule text, version bigint, verdict text, because text, at timestamp with time zone)
    LANGUAGE sql STABLE
    AS $$
    SELECT l.id, l.rule, l.version, r.verdict, l.reason, l.at
    FROM pattern_sync.rules AS r
    JOIN pattern_sync.rule_log AS l ON l.id = (
        SELECT pg_catalog.max(each.id) FROM pattern_sync.rule_log AS each
        WHERE each.rule = r.name AND each.act = 'paused'
    )
    WHERE r.state = 'paused'
$$;
COMMENT ON FUNCTION pattern_sync.standing_pauses() IS 'The rules that are paused, each with its last pause: by its id, which is written with the pause, people can tell it from every other.';
CREATE FUNCTION pattern_sync.states_before(signatures text[], row_ids bigint[], OUT names text[], OUT states jsonb[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET enable_nestloop TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    SELECT
        pg_catalog.array_agg(a.pattern_id::text),
        pg_catalog.array_agg(pg_catalog.jsonb_build_object(
            'entry', pg_catalog.jsonb_build_object(
                'status', a.status, 'reviewed_by', a.reviewed_by,
                'reviewed_at', a.reviewed_at, 'approval_notes', a.approval_notes
            ),
            'pattern', p.state,
            'rejected', r.signature IS NOT NULL
        ))
    INTO names, states
    FROM pattern_approvals AS a
    LEFT JOIN (
        SELECT DISTINCT ON (f.pattern_signature::text COLLATE "C")
            f.pattern_signature::text COLLATE "C" AS signature,
            pg_catalog.jsonb_build_object(
                'automation_status', f.automation_status, 'reviewed_by', f.reviewed_by,
                'reviewed_at', f.reviewed_at, 'review_notes', f.review_notes
            ) AS state
        FROM operation_patterns AS f
        WHERE f.id = ANY (states_before.row_ids)
        ORDER BY f.pattern_signature::text COLLATE "C", f.id::bigint
    ) AS p ON p.signature = a.pattern_id::text COLLATE "C"
    LEFT JOIN (
        SELECT f.pattern_id COLLATE "C" AS signature FROM pattern_sync.rejections AS f
        WHERE f.pattern_id = ANY (states_before.signatures)
    ) AS r ON r.signature = a.pattern_id::text COLLATE "C"
    WHERE a.pattern_id::text = ANY (states_before.signatures);
END $$;
COMMENT ON FUNCTION pattern_sync.states_before(signatures text[], row_ids bigint[], OUT names text[], OUT states jsonb[]) IS 'What a decision replaces, and an undo puts back: of the entry, of its pattern, and whether a rejection is remembered. Of several rows of a pattern, the first stands for all. It is a list beside a list of names: as one object by name, 10,000 of them would be written and read twice.';
CREATE FUNCTION pattern_sync.steps(operations jsonb) RETURNS TABLE(names text)
    LANGUAGE sql STABLE
    AS $$
    SELECT pg_catalog.string_agg(named.name, pattern_sync.arrow() ORDER BY named.place)
    FROM (
        SELECT item.place, CASE
            WHEN pg_catalog.jsonb_typeof(item.value) = 'string' THEN item.value #>> '{}'::text[]
            WHEN pg_catalog.jsonb_typeof(item.value -> 'name'::text) = 'string' THEN item.value ->> 'name'::text
        END AS name
        FROM pg_catalog.jsonb_array_elements(
            CASE WHEN pg_catalog.jsonb_typeof(operations) = 'array' THEN operations ELSE '[]'::jsonb END
        ) WITH ORDINALITY AS item (value, place)
    ) AS named
    WHERE named.name <> ''
$$;
COMMENT ON FUNCTION pattern_sync.steps(operations jsonb) IS 'The names of a pattern''s operations, joined by arrows; NULL if it has none. JSON of any shape is accepted: an item that is not a name (a string, or an object with a string "name") is skipped. It is one SELECT, so that PostgreSQL inlines it.';
CREATE FUNCTION pattern_sync.storage() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
COMMENT ON FUNCTION pattern_sync.storage() IS 'A digest of the files that hold the patterns and of the versions of their triggers. If it changes, rows may have been added or changed without any trigger: a partition was attached, a column got another type, or the triggers were disabled for a bulk load and enabled again.';
CREATE FUNCTION pattern_sync.sum_found(status text, wanted jsonb, snoozed text, since timestamp with time zone, OUT entries bigint, OUT savings double precision, OUT evidence double precision) RETURNS record
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    SELECT pg_catalog.count(*), coalesce(pg_catalog.sum(m.savings), 0::double precision), pg_catalog.sum(m.evidence)
    INTO entries, savings, evidence
    FROM pattern_sync.matching(sum_found.status, wanted, snoozed, since) AS m;
END $$;
COMMENT ON FUNCTION pattern_sync.sum_found(status text, wanted jsonb, snoozed text, since timestamp with time zone, OUT entries bigint, OUT savings double precision, OUT evidence double precision) IS 'How many entries are found, and their savings, claimed and by evidence.';
CREATE FUNCTION pattern_sync.switch_rule(rule_name text, version bigint, state text, who text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE pattern_sync.rules AS r
    SET
        state = switch_rule.state,
        paused_because = NULL,
        full_at = NULL,
        looked_at = CASE WHEN switch_rule.state = 'on' THEN pg_catalog.clock_timestamp() END,
        changed_by = switch_rule.who,
        changed_at = pg_catalog.clock_timestamp()
    WHERE r.name = switch_rule.rule_name AND r.version = switch_rule.version AND r.state <> switch_rule.state;
    IF NOT FOUND THEN
        RETURN EXISTS (
            SELECT FROM pattern_sync.rules AS r
            WHERE r.name = switch_rule.rule_name AND r.version = switch_rule.version
        );
    END IF;
    IF switch_rule.state = 'off' THEN
        PERFORM pattern_sync.end_marks(switch_rule.rule_name);
    ELSE
        UPDATE pattern_sync.rule_log AS l SET at = pg_catalog.clock_timestamp()
        WHERE switch_rule.state = 'on' AND l.rule = switch_rule.rule_name AND l.ended_at IS NULL AND l.act = 'would';
        PERFORM pattern_sync.tell_changes('refreshed', pattern_sync.marked_by(switch_rule.rule_name));
    END IF;
    INSERT INTO pattern_sync.rule_log (rule, version, act, reviewer)
    VALUES (switch_rule.rule_name, switch_rule.version, switch_rule.state, switch_rule.who);
    RETURN true;
END $$;
COMMENT ON FUNCTION pattern_sync.switch_rule(rule_name text, version bigint, state text, who text) IS 'Have a rule watch, decide or do nothing from now on (''watching'', ''on'', ''off''). When it is switched on, the waiting time of all that it has marked begins anew, as nobody was told before that something would be decided. False if there is no such version.';
CREATE FUNCTION pattern_sync.tables_without_trigger() RETURNS SETOF regclass
    LANGUAGE sql STABLE
    AS $$
    SELECT DISTINCT f.relation FROM pattern_sync.trigger_faults() AS f WHERE f.mending IS NOT NULL ORDER BY f.relation
$$;
COMMENT ON FUNCTION pattern_sync.tables_without_trigger() IS 'The tables with faults that install_trigger can mend.';
CREATE FUNCTION pattern_sync.take_back(signatures text[], who text) RETURNS text[]
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
DECLARE
    made record;
    taken text[] := '{}';
BEGIN
    FOR made IN
        SELECT l.batch_id, pg_catalog.array_agg(l.pattern_id) AS signatures
        FROM pattern_sync.rule_log AS l
        WHERE l.pattern_id = ANY (take_back.signatures)
          AND l.act = 'decided'
          AND l.at > pg_catalog.clock_timestamp() - '1 minute'::interval
        GROUP BY l.batch_id
        ORDER BY l.batch_id
    LOOP
        taken := pg_catalog.array_cat(taken, ARRAY(
            SELECT u.pattern_id FROM pattern_sync.undo_part(made.batch_id, made.signatures, take_back.who) AS u
            WHERE u.outcome = 'undone'
        ));
    END LOOP;
    RETURN taken;
END $$;
COMMENT ON FUNCTION pattern_sync.take_back(signatures text[], who text) IS 'Take back, in a person''s name, what rules have decided of some entries within the last minute: the person still saw them pending, and people win. Returns those that are pending again.';
CREATE FUNCTION pattern_sync.takes_no_such_mark(code text, constraint_name text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN takes_no_such_mark.code = '23514' AND EXISTS (
        SELECT
        FROM pg_catalog.pg_constraint AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid
        WHERE c.conrelid = pg_catalog.to_regclass('operation_patterns')::oid
          AND c.conname::text = takes_no_such_mark.constraint_name
          AND a.attname::text = 'automation_status'
          AND pg_catalog.cardinality(c.conkey) = 1
          AND c.conkey[1] = a.attnum
    );
END $$;
COMMENT ON FUNCTION pattern_sync.takes_no_such_mark(code text, constraint_name text) IS 'Whether an error says that the patterns'' table takes no such mark, on whatever row.';
CREATE FUNCTION pattern_sync.target_of(signature text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT pg_catalog.substr(
        signature,
        pg_catalog.length(pg_catalog.split_part(signature, ':', 1))
        + pg_catalog.length(pg_catalog.split_part(signature, ':', 2)) + 3
    )
$$;
COMMENT ON FUNCTION pattern_sync.target_of(signature text) IS 'What a pattern acts on: the third and all later parts of its name; empty where it has no more than two.';
CREATE FUNCTION pattern_sync.tell_changes(change text, signatures text[]) RETURNS void
    LANGUAGE sql
    AS $$
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
COMMENT ON FUNCTION pattern_sync.tell_changes(change text, signatures text[]) IS 'Notify the review pages of changed entries, 50 to a payload. Too many changes become one ''*'' (everything), and so do names that do not fit into a payload, which would be an error.';
CREATE FUNCTION pattern_sync.tools_of(sequence text) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT pg_catalog.string_to_array(sequence, pattern_sync.arrow())
$$;
COMMENT ON FUNCTION pattern_sync.tools_of(sequence text) IS 'The names of the tools in a sequence or a shape.';
CREATE FUNCTION pattern_sync.trigger_faults() RETURNS TABLE(relation regclass, fault text, silenced text, mending text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
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
END $_$;
COMMENT ON FUNCTION pattern_sync.trigger_faults() IS 'What keeps changes from being notified, one row for each fault: the table and the fault in words; whom the silence affects (''patterns'': the daemons, ''pages'': the review pages, NULL: nobody); and the SQL that mends it (NULL: re-create the functions). It is called every few seconds and raises no error, whatever is missing.';
CREATE FUNCTION pattern_sync.undo_batch(batch bigint, undoer text) RETURNS TABLE(pattern_id text, outcome text, detail text)
    LANGUAGE sql
    AS $$
    SELECT u.pattern_id, u.outcome, u.detail FROM pattern_sync.undo_part(batch, NULL, undoer) AS u
$$;
COMMENT ON FUNCTION pattern_sync.undo_batch(batch bigint, undoer text) IS 'Undo a whole batch, as `undo_part` does.';
CREATE FUNCTION pattern_sync.undo_part(batch bigint, signatures text[], undoer text) RETURNS TABLE(pattern_id text, outcome text, detail text)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET lock_timeout TO '800ms'
    AS $$
#variable_conflict use_column
DECLARE
    made record;
    listed text[];
    after jsonb;
    outlook jsonb;
    free text[];
    done record;
BEGIN
    -- Two undos at once: the second waits, and finds what the first has left.
    SELECT b.* INTO made FROM pattern_sync.batches AS b
    WHERE b.id = undo_part.batch AND b.decided_at > pg_catalog.now() - '7 days'::interval
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT pg_catalog.array_agg(i.pattern_id ORDER BY i.pattern_id), pg_catalog.jsonb_object_agg(i.pattern_id, i.after)
    INTO listed, after
    FROM pattern_sync.batch_items AS i
    WHERE i.batch_id = undo_part.batch AND i.undone_at IS NULL
      AND (undo_part.signatures IS NULL OR i.pattern_id = ANY (undo_part.signatures));
    IF listed IS NULL THEN
        RETURN;
    END IF;
    free := (SELECT l.free FROM pattern_sync.lock_entries(listed, NULL, made.decision, false, false) AS l);
    outlook := pattern_sync.outlook(undo_part.batch, listed, after);
    SELECT w.written, w.refused INTO done
    FROM pattern_sync.write_in_parts(
        undo_part.batch, undo_part.undoer,
        ARRAY(
            SELECT own.signature FROM pg_catalog.unnest(free) AS own (signature)
            WHERE NOT outlook ? own.signature
            ORDER BY own.signature
        ),
        NULL,
        false
    ) AS w;
    IF pg_catalog.cardinality(done.written) > 0 THEN
        UPDATE pattern_sync.batches AS b SET undone_at = pg_catalog.now(), undone_by = undo_part.undoer
        WHERE b.id = undo_part.batch;
        UPDATE pattern_sync.decisions AS d SET undone_at = pg_catalog.now()
        WHERE d.batch_id = undo_part.batch AND d.pattern_id = ANY (done.written);
        PERFORM pattern_sync.note_taken_back(undo_part.batch, done.written, undo_part.undoer, NULL);
    END IF;
    RETURN QUERY
    SELECT
        s.signature,
        CASE
            WHEN s.is_written THEN 'undone'
            WHEN s.is_refused THEN 'refused'
            ELSE coalesce(outlook ->> s.signature, 'busy')
        END,
        pattern_sync.legible(s.detail)
    FROM pattern_sync.standing(listed, done.written, done.refused) AS s
    ORDER BY s.place;
EXCEPTION WHEN OTHERS THEN
    IF pattern_sync.is_passing(SQLSTATE) THEN
        RAISE;
    END IF;
    RAISE EXCEPTION USING MESSAGE = SQLERRM || ' (SQLSTATE ' || SQLSTATE || ')', ERRCODE = 'P0001';
END $$;
COMMENT ON FUNCTION pattern_sync.undo_part(batch bigint, signatures text[], undoer text) IS 'Undo a batch, at most seven days old, or its decisions on some entries (NULL: all): what nobody has touched since. Returns an outcome for each of them that is not undone yet, so none if the batch is unknown, too old or undone: undone; touched, as it is not the batch''s decision any more; gone-on, as somebody has taken the pattern further; busy, as somebody has locked the entry or its pattern; unknown, as the entry is gone; refused, as by `decide_many`.';
CREATE FUNCTION pattern_sync.undo_set(batch bigint, signatures text[], undoer text) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    many CONSTANT bigint := pg_catalog.cardinality(undo_set.signatures);
    made record;
    before jsonb;
    marked text[];
    said text;
    written bigint;
BEGIN
    SELECT b.* INTO STRICT made FROM pattern_sync.batches AS b WHERE b.id = undo_set.batch;
    SELECT
        pg_catalog.jsonb_object_agg(i.pattern_id, i.before),
        pg_catalog.array_agg(i.pattern_id) FILTER (WHERE pg_catalog.jsonb_typeof(i.before -> 'pattern'::text) = 'object')
    INTO STRICT before, marked
    FROM pattern_sync.batch_items AS i
    WHERE i.batch_id = undo_set.batch AND i.pattern_id = ANY (undo_set.signatures);
    UPDATE pattern_approvals AS a
    SET (status, reviewed_by, reviewed_at, approval_notes) = (
        SELECT r.status, r.reviewed_by, r.reviewed_at, r.approval_notes
        FROM pg_catalog.jsonb_populate_record(a.*, before -> a.pattern_id::text -> 'entry'::text) AS r
    )
    WHERE a.pattern_id::text = ANY (undo_set.signatures);
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < many THEN
        RAISE EXCEPTION USING MESSAGE = 'kept out', ERRCODE = 'PS001';
    END IF;
    said := pg_catalog.format(
        'undone by %s: %s by %s on %s UTC', undo_set.undoer, made.decision, made.reviewer,
        pg_catalog.to_char(made.decided_at AT TIME ZONE 'UTC'::text, 'YYYY-MM-DD "at" HH24:MI:SS')
    );
    INSERT INTO pattern_review_history (pattern_id, action, reviewer, notes)
    SELECT noted.signature, 'flagged', undo_set.undoer, said
    FROM pg_catalog.unnest(undo_set.signatures) AS noted (signature);
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < many AND NOT pattern_sync.are_noted(undo_set.signatures, 'flagged', undo_set.undoer, said) THEN
        RAISE EXCEPTION USING MESSAGE = 'kept out', ERRCODE = 'PS001';
    END IF;
    UPDATE operation_patterns AS p
    SET (automation_status, reviewed_by, reviewed_at, review_notes) = (
        SELECT r.automation_status, r.reviewed_by, r.reviewed_at, r.review_notes
        FROM pg_catalog.jsonb_populate_record(p.*, before -> p.pattern_signature::text -> 'pattern'::text) AS r
    )
    WHERE p.id = ANY (pattern_sync.rows_of(marked));
    DELETE FROM pattern_sync.rejections AS r WHERE r.pattern_id = ANY (undo_set.signatures);
    INSERT INTO pattern_sync.rejections (pattern_id)
    SELECT remembered.signature
    FROM pg_catalog.unnest(undo_set.signatures) AS remembered (signature)
    WHERE before -> remembered.signature -> 'rejected'::text = 'true'::jsonb;
    SELECT pg_catalog.count(*) INTO written
    FROM pattern_approvals AS a
    WHERE a.pattern_id::text = ANY (undo_set.signatures)
      AND a.status::text = before -> a.pattern_id::text -> 'entry'::text ->> 'status'::text;
    IF written < many THEN
        RAISE EXCEPTION USING MESSAGE = 'kept out', ERRCODE = 'PS001';
    END IF;
    SET CONSTRAINTS ALL IMMEDIATE;
    UPDATE pattern_sync.batch_items AS i SET undone_at = pg_catalog.now()
    WHERE i.batch_id = undo_set.batch AND i.pattern_id = ANY (undo_set.signatures);
END $$;
COMMENT ON FUNCTION pattern_sync.undo_set(batch bigint, signatures text[], undoer text) IS 'Take back the decision of a batch on some entries that this transaction has locked: put the entry and the mark on the pattern to what they were, and note it. Raises PS001 as `decide_set` does.';
CREATE FUNCTION pattern_sync.unforetold(model bigint, after text, most bigint) RETURNS TABLE(pattern_id text, confidence double precision, occurrences bigint, savings double precision, evidence double precision, workflows double precision, days_seen double precision, kind text, target text, shape text, version bigint)
    LANGUAGE plpgsql STABLE
    SET enable_nestloop TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_hashjoin TO 'on'
    SET work_mem TO '64MB'
    SET enable_seqscan TO 'on'
    SET enable_bitmapscan TO 'on'
    SET enable_sort TO 'on'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
BEGIN
    IF unforetold.after <> '' THEN
        PERFORM
            pg_catalog.set_config(planned.name, planned.setting, true)
        FROM (
            VALUES
                ('enable_mergejoin', 'on'), ('enable_hashjoin', 'off'), ('enable_seqscan', 'off'),
                ('enable_bitmapscan', 'off'), ('enable_sort', 'off')
        ) AS planned (name, setting);
    END IF;
    RETURN QUERY
    SELECT
        t.pattern_id, t.confidence, t.occurrences, t.savings, t.evidence,
        coalesce(t.workflows, 0::bigint)::double precision,
        pattern_sync.days_between(t.first_seen, t.last_seen),
        pattern_sync.legible(t.kind), pattern_sync.legible(t.target), pattern_sync.legible(t.shape),
        pattern_sync.version_of(t.changed_at)
    FROM pattern_sync.traits AS t
    LEFT JOIN (
        SELECT f.pattern_id, f.model_id, f.traits_version
        FROM pattern_sync.predictions AS f
        WHERE f.pattern_id > unforetold.after
    ) AS p ON p.pattern_id = t.pattern_id
    WHERE t.status = 'pending'
      AND t.pattern_id > unforetold.after
      AND (
          p.pattern_id IS NULL
          OR p.model_id < unforetold.model
          OR (p.model_id = unforetold.model AND p.traits_version <> pattern_sync.version_of(t.changed_at))
      )
      AND t.pattern_id = pattern_sync.legible(t.pattern_id)
    ORDER BY t.pattern_id
    LIMIT unforetold.most;
END $$;
COMMENT ON FUNCTION pattern_sync.unforetold(model bigint, after text, most bigint) IS 'The traits of pending entries of which a model has foretold nothing yet, or that have changed since, by name: at most `most` after one. What a newer model has foretold, its own daemon keeps up to date. Names that no client can read are left out.';
CREATE FUNCTION pattern_sync.untold(channel text, min_savings double precision) RETURNS TABLE(pattern_id text, savings double precision)
    LANGUAGE sql STABLE
    AS $$
    SELECT t.pattern_id, coalesce(t.evidence, t.savings)
    FROM pattern_sync.traits AS t
    LEFT JOIN pattern_sync.told AS d ON d.pattern_id = t.pattern_id AND d.channel = untold.channel
    WHERE t.status = 'pending'
      AND coalesce(t.evidence, t.savings) >= untold.min_savings
      AND (d.savings IS NULL OR coalesce(t.evidence, t.savings) >= d.savings * 10::double precision)
      AND NOT EXISTS (
          SELECT FROM pattern_sync.snoozes AS s
          WHERE s.pattern_id = t.pattern_id AND pattern_sync.is_asleep(s.until, s.until_savings, t.savings)
      )
      AND EXISTS (
          SELECT FROM pattern_approvals AS a
          WHERE a.pattern_id::text = t.pattern_id COLLATE "default" AND a.status::text = 'pending'
      )
$$;
COMMENT ON FUNCTION pattern_sync.untold(channel text, min_savings double precision) IS 'The pending patterns that a channel was not told of, with what each is worth a month: the savings by evidence where there is any. One that was told is told once more if it is worth ten times as much now. What somebody wants to see later is not told before.';
CREATE FUNCTION pattern_sync.untold_pauses(channel text) RETURNS TABLE(id bigint, at timestamp with time zone)
    LANGUAGE sql STABLE
    AS $$
    SELECT p.id, p.at
    FROM pattern_sync.standing_pauses() AS p
    WHERE p.at > pg_catalog.clock_timestamp() - '30 days'::interval
      AND NOT EXISTS (
          SELECT FROM pattern_sync.messages AS m
          WHERE m.channel = untold_pauses.channel AND m.kind = 'rule_paused' AND p.id = ANY (m.pauses)
      )
$$;
COMMENT ON FUNCTION pattern_sync.untold_pauses(channel text) IS 'The pauses that a channel was not told of: the last one of each rule that is paused still. Of one from over 30 days ago nobody knows whether it was told, as messages are kept for so long.';
CREATE FUNCTION pattern_sync.verdict(code text, raised_at text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    AS $$
DECLARE
    place CONSTANT text := pg_catalog.split_part(verdict.raised_at, E'\n', 1);
    raised CONSTANT boolean := pg_catalog.right(place, 6) = ' RAISE' AND pg_catalog.strpos(place, 'verdict(') = 0;
BEGIN
    IF verdict.code = '57014' AND NOT raised THEN
        RAISE EXCEPTION 'the statement was canceled' USING ERRCODE = verdict.code;
    END IF;
    RETURN CASE WHEN verdict.code IN ('55P03', '40P01', '40001') AND NOT raised THEN 'held' ELSE 'failed' END;
END $$;
COMMENT ON FUNCTION pattern_sync.verdict(code text, raised_at text) IS 'The outcome of a row that raised an error: held if somebody has locked it, failed otherwise, whatever the SQLSTATE. An SQLSTATE does not identify the culprit: a trigger of the application may raise any, or pass one on from another server. A server that cannot write at all cannot write the quarantine either, so that error blames no row. A cancellation is raised again, unless a RAISE used its code to refuse the row.';
CREATE FUNCTION pattern_sync.version_of(changed_at timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT pg_catalog.round(pg_catalog.date_part('epoch'::text, changed_at) * 1000000::double precision)::bigint
$$;
COMMENT ON FUNCTION pattern_sync.version_of(changed_at timestamp with time zone) IS 'What tells whether the traits of an entry were written anew.';
CREATE FUNCTION pattern_sync.veto(signature text, who text, reason text) RETURNS text
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET lock_timeout TO '2s'
    AS $$
DECLARE
    taken text[];
    marked bigint;
    standing text;
BEGIN
    PERFORM FROM pattern_sync.rules AS r WHERE r.state IN ('watching', 'on') ORDER BY r.name FOR SHARE;
    taken := pattern_sync.take_back(ARRAY[veto.signature], veto.who);
    WITH objected AS (
        UPDATE pattern_sync.rule_log AS l SET ended_at = pg_catalog.clock_timestamp()
        WHERE l.pattern_id = veto.signature AND l.act = 'would' AND l.ended_at IS NULL
        RETURNING l.*
    )
    INSERT INTO pattern_sync.rule_log (rule, version, act, pattern_id, figures, reviewer, reason)
    SELECT o.rule, o.version, 'vetoed', o.pattern_id, o.figures, veto.who, veto.reason FROM objected AS o;
    GET DIAGNOSTICS marked = ROW_COUNT;
    IF pg_catalog.cardinality(taken) > 0 THEN
        RETURN 'taken-back';
    ELSIF marked > 0::bigint THEN
        PERFORM pattern_sync.tell_changes('refreshed', ARRAY[veto.signature]);
        RETURN 'vetoed';
    END IF;
    SELECT a.status::text INTO standing FROM pattern_approvals AS a WHERE a.pattern_id::text = veto.signature;
    RETURN CASE WHEN standing IS NULL THEN 'unknown' WHEN standing = 'pending' THEN 'unmarked' ELSE 'decided' END;
END $$;
COMMENT ON FUNCTION pattern_sync.veto(signature text, who text, reason text) IS 'Object to what rules are about to decide of an entry: none of them ever decides it. What one has decided within the last minute is taken back. Returns what came of it: ''vetoed''; ''taken-back''; ''decided'', by whomever; ''unmarked'', as no rule is about to decide it; or ''unknown'', as there is no such entry.';
CREATE FUNCTION pattern_sync.wait_for_traits() RETURNS boolean
    LANGUAGE plpgsql
    SET lock_timeout TO '2s'
    AS $$
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(
        pg_catalog.hashtext('pattern_sync')::integer, pg_catalog.hashtext('traits')::integer
    );
    RETURN true;
EXCEPTION
    WHEN lock_not_available THEN
        RETURN false;
END $$;
COMMENT ON FUNCTION pattern_sync.wait_for_traits() IS 'Wait for others that bring all traits up to date, and keep them waiting until the transaction ends. Returns whether they were through in time.';
CREATE FUNCTION pattern_sync.wake(signature text) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET lock_timeout TO '800ms'
    AS $$
BEGIN
    DELETE FROM pattern_sync.snoozes AS s WHERE s.pattern_id = wake.signature;
    IF FOUND THEN
        PERFORM pattern_sync.tell_changes('refreshed', ARRAY[wake.signature]);
    END IF;
END $$;
COMMENT ON FUNCTION pattern_sync.wake(signature text) IS 'End the snooze of an entry, if there is one, and tell the review pages.';
CREATE FUNCTION pattern_sync.wanted_confidence(signature text, confidence double precision) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
    RETURN coalesce(
        (
            SELECT CASE
                WHEN j.confirmed_at > pg_catalog.clock_timestamp() - '1 day'::interval THEN j.new_confidence::numeric
            END
            FROM pattern_sync.adjustments AS j
            WHERE j.pattern_id = wanted_confidence.signature COLLATE "default"
            ORDER BY j.id DESC
            LIMIT 1
        ),
        pattern_sync.figure(wanted_confidence.confidence::numeric / 100::numeric)
    );
END $$;
COMMENT ON FUNCTION pattern_sync.wanted_confidence(signature text, confidence double precision) IS 'The confidence that a pending entry is to show, 0 to 1: the source''s or, while it holds, what was set from results.';
CREATE FUNCTION pattern_sync.without(signatures text[], others text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT ARRAY(
        SELECT one.signature FROM pg_catalog.unnest(signatures) AS one (signature)
        EXCEPT
        SELECT other.signature FROM pg_catalog.unnest(others) AS other (signature)
        ORDER BY 1
    )
$$;
COMMENT ON FUNCTION pattern_sync.without(signatures text[], others text[]) IS 'The members of one list that another does not have.';
CREATE FUNCTION pattern_sync.words_of(wanted jsonb, key text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT pg_catalog.array_agg(pg_catalog.lower(word))
    FROM pg_catalog.jsonb_array_elements_text(pg_catalog.jsonb_extract_path(wanted, key)) AS word
$$;
COMMENT ON FUNCTION pattern_sync.words_of(wanted jsonb, key text) IS 'The words under a key of an object, in small letters; NULL if it has no such key.';
CREATE FUNCTION pattern_sync.workflows_are_unique() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    relation CONSTANT oid := pg_catalog.to_regclass('pattern_occurrences')::oid;
BEGIN
    RETURN EXISTS (
        SELECT
        FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = relation
          AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
          AND i.indnkeyatts = 2::smallint
          AND (
              SELECT pg_catalog.string_agg(a.attname::text, ',' ORDER BY a.attname::text COLLATE "C")
              FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid = relation AND (a.attnum = i.indkey[0] OR a.attnum = i.indkey[1])
          ) = 'pattern_id,workflow_id'
    );
END $$;
COMMENT ON FUNCTION pattern_sync.workflows_are_unique() IS 'Whether a unique index keeps every workflow of a pattern to one row, so that rows need no sorting to be counted.';
CREATE FUNCTION pattern_sync.write_each(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[], known_missing boolean, until timestamp with time zone) RETURNS TABLE(row_id bigint, signature text, outcome text, reason text)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    missing bigint[] := write_each.row_ids;
    shown jsonb;
    untried bigint[] := '{}';
    held bigint[] := '{}';
    tries integer := 0;
    looked record;
    fresh record;
    code text;
    raised_at text;
    asked bigint;
    refused bigint[] := '{}';
    refused_signatures text[] := '{}';
    reasons text[] := '{}';
    codes text[] := '{}';
BEGIN
    IF NOT known_missing THEN
        missing := '{}';
        FOREACH asked IN ARRAY write_each.row_ids LOOP
            IF tries > 0 AND pg_catalog.clock_timestamp() >= write_each.until THEN
                untried := pg_catalog.array_append(untried, asked);
                CONTINUE;
            END IF;
            tries := tries + 1;
            BEGIN
                FOR looked IN SELECT l.* FROM pattern_sync.look(
                    min_confidence, min_occurrences, min_savings, only_types, exclude_types,
                    ARRAY[asked]
                ) AS l LOOP
                    row_id := asked;
                    signature := looked.signature;
                    outcome := looked.state;
                    reason := NULL;
                    IF outcome = 'missing' THEN
                        missing := pg_catalog.array_append(missing, asked);
                        CONTINUE;
                    END IF;
                    IF outcome = 'stale' THEN
                        outcome := CASE pg_catalog.cardinality(pattern_sync.refresh_entries(ARRAY[asked]))
                            WHEN 0 THEN 'unchanged' ELSE 'refreshed'
                        END;
                        SET CONSTRAINTS ALL IMMEDIATE;
                    END IF;
                    RETURN NEXT;
                END LOOP;
            EXCEPTION WHEN OTHERS OR assert_failure OR query_canceled THEN
                GET STACKED DIAGNOSTICS
                    reason = MESSAGE_TEXT, code = RETURNED_SQLSTATE, raised_at = PG_EXCEPTION_CONTEXT;
                outcome := pattern_sync.verdict(code, raised_at);
                row_id := asked;
                signature := pattern_sync.name_of(asked);
                IF outcome = 'failed' THEN
                    refused := pg_catalog.array_append(refused, asked);
                    refused_signatures := pg_catalog.array_append(refused_signatures, signature);
                    reasons := pg_catalog.array_append(reasons, reason);
                    codes := pg_catalog.array_append(codes, code);
                ELSE
                    held := pg_catalog.array_append(held, asked);
                    PERFORM pg_catalog.set_config('lock_timeout', '1ms', true);
                END IF;
                RETURN NEXT;
            END;
        END LOOP;
    END IF;
    tries := 0;
    BEGIN
        shown := pattern_sync.examples(missing);
        FOR fresh IN SELECT f.* FROM pattern_sync.new_entries(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types,
            missing, shown
        ) AS f ORDER BY f.signature LOOP
            row_id := missing[fresh.place];
            IF tries > 0 AND pg_catalog.clock_timestamp() >= write_each.until THEN
                untried := pg_catalog.array_append(untried, row_id);
                CONTINUE;
            END IF;
            tries := tries + 1;
            signature := fresh.signature;
            reason := NULL;
            BEGIN
                INSERT INTO pattern_approvals (
                    pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,
                    tool_sequence, pattern_context, example_sessions
                )
                VALUES (
                    fresh.signature, 'pending', fresh.confidence_score, fresh.occurrence_count,
                    fresh.estimated_savings_usd, fresh.tool_sequence, fresh.pattern_context, fresh.example_sessions
                );
                IF NOT EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id::text = fresh.signature) THEN
                    RAISE EXCEPTION 'the application''s own trigger or rule kept it out' USING ERRCODE = 'PS001';
                END IF;
                SET CONSTRAINTS ALL IMMEDIATE;
                INSERT INTO pattern_sync.written AS w (pattern_id, confidence, occurrences, savings)
                VALUES (fresh.signature, fresh.confidence, fresh.occurrences, fresh.savings)
                ON CONFLICT (pattern_id) DO UPDATE
                SET confidence = EXCLUDED.confidence, occurrences = EXCLUDED.occurrences, savings = EXCLUDED.savings;
                outcome := 'queued';
            EXCEPTION WHEN OTHERS OR assert_failure OR query_canceled THEN
                GET STACKED DIAGNOSTICS
                    reason = MESSAGE_TEXT, code = RETURNED_SQLSTATE, raised_at = PG_EXCEPTION_CONTEXT;
                outcome := pattern_sync.verdict(code, raised_at);
                IF code = '23505'
                    AND EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id::text = fresh.signature)
                THEN
                    outcome := 'unchanged';
                ELSIF outcome = 'failed' THEN
                    refused := pg_catalog.array_append(refused, row_id);
                    refused_signatures := pg_catalog.array_append(refused_signatures, signature);
                    reasons := pg_catalog.array_append(reasons, reason);
                    codes := pg_catalog.array_append(codes, code);
                ELSE
                    held := pg_catalog.array_append(held, row_id);
                    PERFORM pg_catalog.set_config('lock_timeout', '1ms', true);
                END IF;
            END;
            RETURN NEXT;
        END LOOP;
    EXCEPTION WHEN OTHERS THEN -- the values of one entry cannot be computed
        GET STACKED DIAGNOSTICS
            reason = MESSAGE_TEXT, code = RETURNED_SQLSTATE, raised_at = PG_EXCEPTION_CONTEXT;
        outcome := pattern_sync.verdict(code, raised_at);
        IF pg_catalog.cardinality(missing) > 1 THEN
            FOREACH asked IN ARRAY missing LOOP
                IF tries > 0 AND pg_catalog.clock_timestamp() >= write_each.until THEN
                    untried := pg_catalog.array_append(untried, asked);
                    CONTINUE;
                END IF;
                tries := tries + 1;
                FOR row_id, signature, outcome, reason IN
                    SELECT e.row_id, e.signature, e.outcome, e.reason
                    FROM pattern_sync.write_each(
                        min_confidence, min_occurrences, min_savings, only_types, exclude_types,
                        ARRAY[asked], true, write_each.until
                    ) AS e
                LOOP
                    held := pg_catalog.array_append(held, row_id); -- the inner call has updated the quarantine
                    RETURN NEXT;
                END LOOP;
            END LOOP;
        ELSIF pg_catalog.cardinality(missing) = 1 THEN -- of none, each has its outcome already
            row_id := missing[1];
            signature := pattern_sync.name_of(row_id);
            IF outcome = 'failed' THEN
                refused := pg_catalog.array_append(refused, row_id);
                refused_signatures := pg_catalog.array_append(refused_signatures, signature);
                reasons := pg_catalog.array_append(reasons, reason);
                codes := pg_catalog.array_append(codes, code);
            ELSE
                held := pg_catalog.array_append(held, row_id);
            END IF;
            RETURN NEXT;
        END IF;
    END;
    RETURN QUERY
    SELECT later.id, ''::text, 'untried'::text, NULL::text FROM pg_catalog.unnest(untried) AS later (id);
    IF pg_catalog.cardinality(refused) > 0 THEN
        PERFORM pattern_sync.quarantine(refused, refused_signatures, reasons, codes);
    END IF;
    -- The others are in the queue, need no entry any more, or are gone.
    PERFORM pattern_sync.forgive(ARRAY(
        SELECT tried.id FROM pg_catalog.unnest(write_each.row_ids) AS tried (id)
        EXCEPT
        SELECT kept.id FROM pg_catalog.unnest(refused || held || untried) AS kept (id)
    ));
END $$;
COMMENT ON FUNCTION pattern_sync.write_each(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[], known_missing boolean, until timestamp with time zone) IS 'Bring the entries of some patterns up to date, one by one: an error undoes only its own row. A duplicate key means that somebody else was faster, if the entry exists. Patterns whose turn comes after `until` are untried, but at least one is always tried.';
CREATE FUNCTION pattern_sync.write_entries(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[], known_missing boolean) RETURNS TABLE(row_id bigint, signature text, outcome text)
    LANGUAGE plpgsql
    AS $$
DECLARE
    ids bigint[];
    signatures text[];
    states text[];
    missing bigint[];
    stale bigint[];
    single CONSTANT boolean := pg_catalog.cardinality(write_entries.row_ids) = 1;
    queued text[] := '{}';
    refreshed text[] := '{}';
BEGIN
    IF known_missing OR single THEN
        queued := pattern_sync.insert_entries(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types,
            write_entries.row_ids, known_missing
        );
        IF known_missing OR pg_catalog.cardinality(queued) > 0 THEN
            SET CONSTRAINTS ALL IMMEDIATE;
            outcome := 'queued';
            row_id := CASE WHEN single THEN write_entries.row_ids[1] END;
            FOREACH signature IN ARRAY queued LOOP
                RETURN NEXT;
            END LOOP;
            RETURN;
        END IF;
    END IF;
    SELECT
        pg_catalog.array_agg(l.row_id ORDER BY l.place),
        pg_catalog.array_agg(l.signature ORDER BY l.place), pg_catalog.array_agg(l.state ORDER BY l.place),
        pg_catalog.array_agg(l.row_id) FILTER (WHERE l.state = 'missing'),
        pg_catalog.array_agg(l.row_id) FILTER (WHERE l.state = 'stale')
    INTO ids, signatures, states, missing, stale
    FROM pattern_sync.look(
        min_confidence, min_occurrences, min_savings, only_types, exclude_types,
        write_entries.row_ids
    ) AS l;
    IF missing IS NOT NULL THEN
        queued := pattern_sync.insert_entries(
            min_confidence, min_occurrences, min_savings, only_types, exclude_types,
            missing, true
        );
    END IF;
    IF stale IS NOT NULL THEN
        refreshed := pattern_sync.refresh_entries(stale);
    END IF;
    SET CONSTRAINTS ALL IMMEDIATE;
    RETURN QUERY
    SELECT looked.row_id, looked.signature, CASE
        WHEN looked.state = 'missing' AND looked.signature = ANY (queued) THEN 'queued'
        WHEN looked.state = 'stale' AND looked.signature = ANY (refreshed) THEN 'refreshed'
        WHEN looked.state IN ('missing', 'stale') THEN 'unchanged'
        ELSE looked.state
    END
    FROM ROWS FROM (
        pg_catalog.unnest(ids), pg_catalog.unnest(signatures), pg_catalog.unnest(states)
    ) AS looked (row_id, signature, state);
END $$;
COMMENT ON FUNCTION pattern_sync.write_entries(min_confidence double precision, min_occurrences bigint, min_savings numeric, only_types text[], exclude_types text[], row_ids bigint[], known_missing boolean) IS 'Bring the entries of some patterns up to date, all or none: the first error undoes them all. For patterns that are known to be missing, only those that it has queued are returned: in bulk, `look` would be a third of the work. A single pattern, the usual event, is first inserted without a look, which would be a third of its time. Deferred constraints of the application are checked here, where the failing row is still known.';
CREATE FUNCTION pattern_sync.write_in_parts(batch bigint, undoer text, signatures text[], row_ids bigint[], waits boolean, OUT written text[], OUT refused jsonb) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    until CONSTANT timestamptz := pg_catalog.clock_timestamp() + '5 s'::interval;
    firsts integer[] := ARRAY[1];
    lasts integer[] := ARRAY[pg_catalog.cardinality(write_in_parts.signatures)];
    parts integer := CASE WHEN pg_catalog.cardinality(write_in_parts.signatures) > 0 THEN 1 ELSE 0 END;
    low integer;
    high integer;
    middle integer;
    part text[];
BEGIN
    written := '{}';
    refused := '{}';
    WHILE parts > 0 LOOP
        low := firsts[parts];
        high := lasts[parts];
        parts := parts - 1;
        EXIT WHEN low > 1 AND pg_catalog.clock_timestamp() > until;
        part := write_in_parts.signatures[low:high];
        BEGIN
            IF write_in_parts.undoer IS NULL THEN
                PERFORM pattern_sync.decide_set(
                    write_in_parts.batch, part,
                    CASE
                        WHEN pg_catalog.cardinality(part) = pg_catalog.cardinality(write_in_parts.signatures)
                            THEN write_in_parts.row_ids
                    END
                );
            ELSE
                PERFORM pattern_sync.undo_set(write_in_parts.batch, part, write_in_parts.undoer);
            END IF;
            written := pg_catalog.array_cat(written, part);
        EXCEPTION WHEN OTHERS THEN
            IF pattern_sync.is_passing(SQLSTATE)
                AND (write_in_parts.waits OR SQLSTATE <> ALL (ARRAY['55P03', '40P01', '40001']))
            THEN
                RAISE;
            END IF;
            IF low < high THEN
                middle := (low + high) / 2;
                firsts[parts + 1] := middle + 1;
                lasts[parts + 1] := high;
                firsts[parts + 2] := low;
                lasts[parts + 2] := middle;
                parts := parts + 2;
            ELSIF SQLSTATE = 'PS001' THEN
                refused := refused || pg_catalog.jsonb_build_object(part[1], NULL);
            ELSIF NOT pattern_sync.is_passing(SQLSTATE) THEN
                refused := refused
                    || pg_catalog.jsonb_build_object(part[1], SQLERRM || ' (SQLSTATE ' || SQLSTATE || ')');
            END IF;
        END;
    END LOOP;
END $$;
COMMENT ON FUNCTION pattern_sync.write_in_parts(batch bigint, undoer text, signatures text[], row_ids bigint[], waits boolean, OUT written text[], OUT refused jsonb) IS 'Write a batch, or its undo by somebody, on some entries: all at once and, after an error, in halves, down to the ones that are refused, each with the server''s words (null: it was kept out silently). What somebody has locked is left, and so is, after five seconds, what was not tried. If the caller `waits` for a lock, an error that may pass is raised. `row_ids` are the locked rows of the patterns.';
CREATE FUNCTION pattern_sync.write_routine(signature text, shape text[], kind text, confidence double precision, savings double precision, workflows text[], called_at timestamp with time zone[]) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    figures jsonb := pg_catalog.jsonb_build_object(
        'pattern_signature', write_routine.signature,
        'pattern_type', write_routine.kind,
        'typical_operations', pg_catalog.to_jsonb(write_routine.shape),
        'confidence_score', write_routine.confidence,
        'occurrence_count', pg_catalog.cardinality(write_routine.workflows),
        -- The application's column has ten digits, four of them behind the point.
        'potential_monthly_savings', CASE
            WHEN write_routine.savings IS NOT NULL
                THEN least(pg_catalog.round(write_routine.savings::numeric, 4), 999999.9999)
        END,
        'first_detected', coalesce(
            (SELECT pg_catalog.min(seen.at) FROM pg_catalog.unnest(write_routine.called_at) AS seen (at)),
            pg_catalog.now()
        ),
        'last_seen', coalesce(
            (SELECT pg_catalog.max(seen.at) FROM pg_catalog.unnest(write_routine.called_at) AS seen (at)),
            pg_catalog.now()
        )
    );
    row_id bigint;
    occurrences bigint;
BEGIN
    INSERT INTO pattern_sync.routines (signature, shape)
    SELECT write_routine.signature, write_routine.shape
    WHERE NOT EXISTS (
        SELECT FROM operation_patterns AS p
        WHERE p.pattern_signature::text = write_routine.signature COLLATE "default"
    )
    ON CONFLICT DO NOTHING;
    IF NOT EXISTS (
        SELECT FROM pattern_sync.routines AS r
        WHERE r.signature = write_routine.signature
          AND pg_catalog.to_jsonb(r.shape) = pg_catalog.to_jsonb(write_routine.shape)
    ) THEN
        RETURN 'taken';
    END IF;
    SELECT p.id INTO row_id
    FROM operation_patterns AS p
    WHERE p.pattern_signature::text = write_routine.signature COLLATE "default"
    ORDER BY p.id
    LIMIT 1
    FOR NO KEY UPDATE;
    IF row_id IS NULL THEN
        INSERT INTO operation_patterns (
            pattern_signature, pattern_type, typical_operations, confidence_score, occurrence_count,
            potential_monthly_savings, first_detected, last_seen
        )
        SELECT
            w.pattern_signature, w.pattern_type, w.typical_operations, w.confidence_score, w.occurrence_count,
            w.potential_monthly_savings, w.first_detected, w.last_seen
        FROM pg_catalog.jsonb_populate_record(NULL::operation_patterns, figures) AS w
        RETURNING id INTO row_id;
        PERFORM pattern_sync.write_runs(row_id, write_routine.workflows, write_routine.called_at);
        RETURN 'written';
    END IF;
    occurrences := pattern_sync.write_runs(row_id, write_routine.workflows, write_routine.called_at);
    IF occurrences IS NOT NULL THEN
        figures := pg_catalog.jsonb_set(figures, '{occurrence_count}', pg_catalog.to_jsonb(occurrences));
    END IF;
    UPDATE operation_patterns AS p
    SET
        confidence_score = w.confidence_score,
        occurrence_count = w.occurrence_count,
        potential_monthly_savings = w.potential_monthly_savings,
        first_detected = least(p.first_detected, w.first_detected),
        last_seen = greatest(p.last_seen, w.last_seen)
    FROM pg_catalog.jsonb_populate_record(NULL::operation_patterns, figures) AS w
    WHERE p.id = row_id
      AND (
          p.confidence_score IS DISTINCT FROM w.confidence_score
          OR p.occurrence_count IS DISTINCT FROM w.occurrence_count
          OR p.potential_monthly_savings IS DISTINCT FROM w.potential_monthly_savings
          OR p.first_detected > w.first_detected
          OR p.last_seen < w.last_seen
      );
    RETURN CASE WHEN FOUND THEN 'updated' ELSE 'unchanged' END;
END $$;
COMMENT ON FUNCTION pattern_sync.write_routine(signature text, shape text[], kind text, confidence double precision, savings double precision, workflows text[], called_at timestamp with time zone[]) IS 'Write a routine as a pattern, whatever types the columns have: confidence 0 to 100, savings in USD a month, NULL if nobody knows what its calls cost. What is written already is not written again. Returns what was done: written, updated or unchanged; or taken, where another shape or another detector was faster with the signature.';
CREATE FUNCTION pattern_sync.write_runs(row_id bigint, workflows text[], called_at timestamp with time zone[]) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
BEGIN
    IF pg_catalog.to_regclass('pattern_occurrences') IS NULL THEN
        RETURN NULL;
    END IF;
    DELETE FROM pattern_occurrences AS o
    USING pattern_sync.detected_sessions AS s
    WHERE o.pattern_id = write_runs.row_id
      AND s.session_id = pg_catalog.regexp_replace(o.workflow_id::text, '#[0-9]+$', '') COLLATE "default"
      AND NOT EXISTS (
          SELECT FROM pg_catalog.unnest(write_runs.workflows) AS run (workflow)
          WHERE run.workflow = o.workflow_id::text COLLATE "default"
      );
    INSERT INTO pattern_occurrences (pattern_id, workflow_id, similarity_score, detected_at)
    SELECT w.pattern_id, w.workflow_id, w.similarity_score, w.detected_at
    FROM ROWS FROM (
        pg_catalog.unnest(write_runs.workflows), pg_catalog.unnest(write_runs.called_at)
    ) AS run (workflow, at)
    CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(
        NULL::pattern_occurrences,
        pg_catalog.jsonb_build_object(
            'pattern_id', write_runs.row_id,
            'workflow_id', run.workflow,
            'similarity_score', 100,
            'detected_at', coalesce(run.at, pg_catalog.now())
        )
    ) AS w
    WHERE NOT EXISTS (
        SELECT FROM pattern_occurrences AS o
        WHERE o.pattern_id = write_runs.row_id AND o.workflow_id::text = run.workflow COLLATE "default"
    );
    RETURN (SELECT pg_catalog.count(*) FROM pattern_occurrences AS o WHERE o.pattern_id = write_runs.row_id);
END $_$;
COMMENT ON FUNCTION pattern_sync.write_runs(row_id bigint, workflows text[], called_at timestamp with time zone[]) IS 'Bring the occurrences of a pattern ($1, row id) to these runs: `workflows`, each with the session that it was seen in before its last ''#''. Occurrences of sessions that are not kept any more stay. Returns how many there are; NULL in an installation without the table.';
CREATE TABLE pattern_sync.adjustments (
    id bigint NOT NULL,
    pattern_id text NOT NULL,
    old_confidence double precision NOT NULL,
    new_confidence double precision NOT NULL,
    adjustment_reason text NOT NULL,
    roi_data jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    confirmed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
COMMENT ON TABLE pattern_sync.adjustments IS 'Confidence that was set from results, by the latest row of each pattern: a refresh leaves it alone while it holds.';
COMMENT ON COLUMN pattern_sync.adjustments.old_confidence IS '0 to 1';
COMMENT ON COLUMN pattern_sync.adjustments.confirmed_at IS 'after a day without, it no longer holds';
ALTER TABLE pattern_sync.adjustments ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pattern_sync.adjustments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pattern_sync.answers (
    key text NOT NULL,
    request text NOT NULL,
    status_code integer,
    answer text,
    batch text,
    asked_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE pattern_sync.answers IS 'Answers to requests with an Idempotency-Key, for whoever asks again. NULL: the first request is still at work.';
COMMENT ON COLUMN pattern_sync.answers.request IS 'a digest: the same key for something else is a mistake';
COMMENT ON COLUMN pattern_sync.answers.batch IS 'that the answer''s header names';
CREATE TABLE pattern_sync.batch_items (
    batch_id bigint NOT NULL,
    pattern_id text NOT NULL,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    undone_at timestamp with time zone
);
COMMENT ON TABLE pattern_sync.batch_items IS 'What each decision of a batch has replaced, and what it wrote: it is undone only while that stands.';
COMMENT ON COLUMN pattern_sync.batch_items.before IS 'of the entry, of its pattern (null: there was none), and whether a rejection was remembered';
COMMENT ON COLUMN pattern_sync.batch_items.after IS 'of the entry, and the mark on the pattern';
CREATE TABLE pattern_sync.batches (
    id bigint NOT NULL,
    decision text NOT NULL,
    action text NOT NULL,
    mark text NOT NULL,
    reviewer text NOT NULL,
    reason text,
    replaces text NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    undone_at timestamp with time zone,
    undone_by text
);
COMMENT ON TABLE pattern_sync.batches IS 'Decisions that were made together, a single one included: what undo takes back. Kept for 30 days.';
COMMENT ON COLUMN pattern_sync.batches.decision IS 'the status that its entries got';
COMMENT ON COLUMN pattern_sync.batches.action IS 'in their history: approved or rejected';
COMMENT ON COLUMN pattern_sync.batches.mark IS 'on their patterns, where the application allows it';
ALTER TABLE pattern_sync.batches ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pattern_sync.batches_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pattern_sync.channels (
    channel text NOT NULL,
    refusals integer NOT NULL,
    off_since timestamp with time zone,
    reason text
);
COMMENT ON TABLE pattern_sync.channels IS 'Channels whose receiver refuses: after three refusals in a row, or where it asks for no more, nothing is sent.';
CREATE TABLE pattern_sync.decisions (
    id bigint NOT NULL,
    batch_id bigint,
    pattern_id text NOT NULL,
    decision text NOT NULL,
    reviewer text NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    replaced text,
    undone_at timestamp with time zone,
    shown jsonb NOT NULL,
    likelihood double precision,
    model_id bigint,
    folded boolean
);
COMMENT ON TABLE pattern_sync.decisions IS 'The record: what the reviewer saw, of every decision.';
COMMENT ON COLUMN pattern_sync.decisions.batch_id IS 'NULL: made by another program, or before this version';
ALTER TABLE pattern_sync.decisions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pattern_sync.decisions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pattern_sync.detected_sessions (
    session_id text NOT NULL,
    source text NOT NULL,
    events bigint NOT NULL,
    last_event_at timestamp with time zone,
    shows_failures boolean NOT NULL,
    cut_off bigint NOT NULL,
    words text[] NOT NULL,
    outcomes text[] NOT NULL,
    called_at timestamp with time zone[] NOT NULL,
    costs_usd double precision[] NOT NULL
);
COMMENT ON TABLE pattern_sync.detected_sessions IS 'Sessions of coding agents, each as a whole: one that has gone on is replaced, so that nothing is counted twice.';
COMMENT ON COLUMN pattern_sync.detected_sessions.events IS 'that it was read from: where the source has another number now, it has changed';
COMMENT ON COLUMN pattern_sync.detected_sessions.shows_failures IS 'false: a call that failed leaves no trace';
COMMENT ON COLUMN pattern_sync.detected_sessions.cut_off IS 'calls that began, and nothing says that they ended';
COMMENT ON COLUMN pattern_sync.detected_sessions.words IS 'of its calls, in their order';
COMMENT ON COLUMN pattern_sync.detected_sessions.called_at IS 'NULL: not known';
COMMENT ON COLUMN pattern_sync.detected_sessions.costs_usd IS 'NULL: not known';
CREATE TABLE pattern_sync.marks (
    channel text NOT NULL,
    payload text NOT NULL
);
ALTER TABLE ONLY pattern_sync.marks REPLICA IDENTITY FULL;
COMMENT ON TABLE pattern_sync.marks IS 'What a writer could not notify (two-phase commit, a notification queue that is half full): taken away in seconds.';
CREATE TABLE pattern_sync.messages (
    id bigint NOT NULL,
    key text DEFAULT (gen_random_uuid())::text NOT NULL,
    channel text NOT NULL,
    kind text NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    due_at timestamp with time zone NOT NULL,
    letter jsonb,
    slot timestamp with time zone,
    gathered_at timestamp with time zone,
    told bigint DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    claimed_until timestamp with time zone,
    last_status integer,
    last_error text,
    ended_at timestamp with time zone,
    pauses bigint[],
    CONSTRAINT messages_kind_check CHECK ((kind = ANY (ARRAY['high_value'::text, 'digest'::text, 'test'::text, 'rule_paused'::text]))),
    CONSTRAINT messages_state_check CHECK ((state = ANY (ARRAY['open'::text, 'sent'::text, 'dead'::text, 'dropped'::text])))
);
COMMENT ON TABLE pattern_sync.messages IS 'Messages to people. An open one gathers until its first attempt, which freezes its text: every attempt sends and signs the same bytes under the same key.';
COMMENT ON COLUMN pattern_sync.messages.key IS 'by which a receiver tells a repetition';
COMMENT ON COLUMN pattern_sync.messages.channel IS 'a digest of the destination''s URL, which is a secret';
COMMENT ON COLUMN pattern_sync.messages.letter IS 'NULL: it still gathers';
COMMENT ON COLUMN pattern_sync.messages.slot IS 'the time that a digest was planned for';
COMMENT ON COLUMN pattern_sync.messages.gathered_at IS 'when what it tells of was settled';
COMMENT ON COLUMN pattern_sync.messages.told IS 'patterns that it tells of';
COMMENT ON COLUMN pattern_sync.messages.claimed_until IS 'a daemon is sending it; if that one dies, another may from then on';
ALTER TABLE pattern_sync.messages ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pattern_sync.messages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pattern_sync.migrations (
    version integer NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    functions_md5 text,
    extended_to integer
);
COMMENT ON TABLE pattern_sync.migrations IS 'The installed migrations.';
COMMENT ON COLUMN pattern_sync.migrations.functions_md5 IS 'of the functions.sql that was run last; NULL where a person ran it by hand';
CREATE TABLE pattern_sync.models (
    id bigint NOT NULL,
    trained_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    lessons bigint NOT NULL,
    model text NOT NULL,
    digest text NOT NULL,
    gate jsonb DEFAULT '{}'::jsonb NOT NULL,
    shown boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE pattern_sync.models IS 'What was learned so far; the newest one counts.';
COMMENT ON COLUMN pattern_sync.models.lessons IS 'that there were then';
COMMENT ON COLUMN pattern_sync.models.model IS 'JSON';
COMMENT ON COLUMN pattern_sync.models.digest IS 'of that text: a model that somebody has edited is not used';
COMMENT ON COLUMN pattern_sync.models.gate IS 'how it stood when it was looked at last';
COMMENT ON COLUMN pattern_sync.models.shown IS 'entries have likelihoods: the gate is open, and the daemons'' settings agree';
ALTER TABLE pattern_sync.models ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pattern_sync.models_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pattern_sync.predictions (
    pattern_id text NOT NULL,
    model_id bigint NOT NULL,
    likelihood double precision NOT NULL,
    folds boolean NOT NULL,
    traits_version bigint NOT NULL,
    CONSTRAINT predictions_likelihood_check CHECK (((likelihood >= (0)::double precision) AND (likelihood <= (1)::double precision)))
);
COMMENT ON TABLE pattern_sync.predictions IS 'How likely each pending entry is approved: what a decision is compared with once it is made.';
COMMENT ON COLUMN pattern_sync.predictions.folds IS 'a likely reject, unless it was drawn to be shown in place';
COMMENT ON COLUMN pattern_sync.predictions.traits_version IS 'of the traits that it was told by';
CREATE TABLE pattern_sync.recorded_savings (
    id bigint NOT NULL,
    pattern_id text NOT NULL,
    workflow_id text,
    tool_call_id text,
    saved_usd numeric NOT NULL,
    saved_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    success boolean,
    estimated_cost numeric,
    actual_cost numeric,
    estimated_seconds double precision,
    actual_seconds double precision,
    notes text
);
COMMENT ON TABLE pattern_sync.recorded_savings IS 'Savings and executions that were recorded where the application has no table for them.';
COMMENT ON COLUMN pattern_sync.recorded_savings.saved_usd IS 'negative: it cost more than before';
COMMENT ON COLUMN pattern_sync.recorded_savings.success IS 'of an execution; NULL: only savings were recorded';
COMMENT ON COLUMN pattern_sync.recorded_savings.notes IS 'of an execution: its error';
ALTER TABLE pattern_sync.recorded_savings ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pattern_sync.recorded_savings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pattern_sync.refusals (
    row_id bigint NOT NULL,
    pattern_id text NOT NULL,
    reason text NOT NULL,
    sqlstate text NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    refused_at timestamp with time zone DEFAULT now() NOT NULL,
    retry_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE pattern_sync.refusals IS 'The quarantine: patterns that the application''s own tables, triggers or policies refuse, in the server''s own words.';
CREATE TABLE pattern_sync.rejections (
    pattern_id text NOT NULL,
    rejected_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE pattern_sync.rejections IS 'Rejections that the application''s CHECK on automation_status cannot hold: they outlive the entry.';
CREATE TABLE pattern_sync.reported_events (
    id bigint NOT NULL,
    session_id text NOT NULL,
    agent text,
    call_id text,
    phase text NOT NULL,
    tool text NOT NULL,
    word text,
    reported_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE pattern_sync.reported_events IS 'What agents have reported of their calls over HTTP: that one began, ended or failed; each once however often it is reported.';
COMMENT ON COLUMN pattern_sync.reported_events.agent IS 'of a subagent';
COMMENT ON COLUMN pattern_sync.reported_events.word IS 'NULL: the event does not say what the tool acted on';
ALTER TABLE pattern_sync.reported_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pattern_sync.reported_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pattern_sync.routines (
    signature text NOT NULL,
    shape text[] NOT NULL,
    found_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE pattern_sync.routines IS 'The routines that were found: a shape keeps its signature for ever.';
COMMENT ON COLUMN pattern_sync.routines.shape IS 'its steps, in words';
CREATE TABLE pattern_sync.rule_log (
    id bigint NOT NULL,
    rule text NOT NULL,
    version bigint NOT NULL,
    act text NOT NULL,
    pattern_id text,
    figures jsonb DEFAULT '{}'::jsonb NOT NULL,
    human text,
    reviewer text,
    reason text,
    batch_id bigint,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT rule_log_act_check CHECK ((act = ANY (ARRAY['would'::text, 'checked'::text, 'decided'::text, 'vetoed'::text, 'reverted'::text, 'paused'::text, 'off'::text, 'watching'::text, 'on'::text])))
);
COMMENT ON TABLE pattern_sync.rule_log IS 'What rules did and would do, and what people did with it. A mark (would, checked) is live until it has ended: a person or the rule decided, a person objected, or the entry does not fit any more.';
COMMENT ON COLUMN pattern_sync.rule_log.pattern_id IS 'NULL: it is about the rule itself';
COMMENT ON COLUMN pattern_sync.rule_log.figures IS 'of the entry, when it was marked';
COMMENT ON COLUMN pattern_sync.rule_log.human IS 'what a person decided in the end: approved or rejected';
COMMENT ON COLUMN pattern_sync.rule_log.reviewer IS 'who objected, took back, or switched';
COMMENT ON COLUMN pattern_sync.rule_log.batch_id IS 'of a decision';
ALTER TABLE pattern_sync.rule_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pattern_sync.rule_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pattern_sync.rules (
    name text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    verdict text NOT NULL,
    state text DEFAULT 'off'::text NOT NULL,
    paused_because text,
    min_confidence double precision,
    max_confidence double precision,
    min_occurrences bigint,
    min_savings double precision,
    max_savings double precision,
    only_kinds text[] DEFAULT '{}'::text[] NOT NULL,
    exclude_kinds text[] DEFAULT '{}'::text[] NOT NULL,
    needs_tools text[] DEFAULT '{}'::text[] NOT NULL,
    without_tools text[] DEFAULT '{}'::text[] NOT NULL,
    min_workflows bigint,
    min_days_seen double precision,
    allow_flags text[] DEFAULT '{}'::text[] NOT NULL,
    wait_hours double precision DEFAULT 24 NOT NULL,
    per_day bigint DEFAULT 20 NOT NULL,
    check_share double precision DEFAULT 0.1 NOT NULL,
    agreement double precision DEFAULT 0.95 NOT NULL,
    looked_at timestamp with time zone,
    full_at timestamp with time zone,
    changed_by text NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT rules_agreement_check CHECK (((agreement >= (0.8)::double precision) AND (agreement <= (0.99)::double precision))),
    CONSTRAINT rules_check CHECK (((verdict = 'reject'::text) OR (max_savings IS NOT NULL))),
    CONSTRAINT rules_check_share_check CHECK (((check_share >= (0.01)::double precision) AND (check_share <= (0.5)::double precision))),
    CONSTRAINT rules_max_confidence_check CHECK (((max_confidence >= (0)::double precision) AND (max_confidence <= (100)::double precision))),
    CONSTRAINT rules_max_savings_check CHECK (((max_savings >= (0)::double precision) AND (max_savings <= ('1000000000000000'::numeric)::double precision))),
    CONSTRAINT rules_min_confidence_check CHECK (((min_confidence >= (0)::double precision) AND (min_confidence <= (100)::double precision))),
    CONSTRAINT rules_min_days_seen_check CHECK (((min_days_seen >= (0)::double precision) AND (min_days_seen <= (36500)::double precision))),
    CONSTRAINT rules_min_savings_check CHECK (((min_savings >= (0)::double precision) AND (min_savings <= ('1000000000000000'::numeric)::double precision))),
    CONSTRAINT rules_name_check CHECK (textregexeq(name, '^[a-z][a-z0-9-]{0,40}$'::text)),
    CONSTRAINT rules_per_day_check CHECK (((per_day >= (1)::bigint) AND (per_day <= (1000)::bigint))),
    CONSTRAINT rules_state_check CHECK ((state = ANY (ARRAY['off'::text, 'watching'::text, 'on'::text, 'paused'::text]))),
    CONSTRAINT rules_verdict_check CHECK ((verdict = ANY (ARRAY['approve'::text, 'reject'::text]))),
    CONSTRAINT rules_wait_hours_check CHECK (((wait_hours >= (1)::double precision) AND (wait_hours <= (720)::double precision)))
);
COMMENT ON TABLE pattern_sync.rules IS 'A rule is a row: what it decides, its bounds, and its guards. Every change of them is a new version. NULL, or an empty list: no such bound.';
COMMENT ON COLUMN pattern_sync.rules.min_confidence IS 'percent';
COMMENT ON COLUMN pattern_sync.rules.min_savings IS 'USD a month, as claimed';
COMMENT ON COLUMN pattern_sync.rules.needs_tools IS 'all of them';
COMMENT ON COLUMN pattern_sync.rules.without_tools IS 'none of them';
COMMENT ON COLUMN pattern_sync.rules.min_workflows IS 'distinct ones that are recorded';
COMMENT ON COLUMN pattern_sync.rules.allow_flags IS 'any other flag keeps an entry from the rule';
COMMENT ON COLUMN pattern_sync.rules.wait_hours IS 'in which people may object';
COMMENT ON COLUMN pattern_sync.rules.check_share IS 'of what it would decide is left to people';
COMMENT ON COLUMN pattern_sync.rules.agreement IS 'the lower bound of people''s agreement that it has to reach';
COMMENT ON COLUMN pattern_sync.rules.looked_at IS 'by a daemon, while it is on';
COMMENT ON COLUMN pattern_sync.rules.full_at IS 'when more was due than it may decide in a day';
CREATE TABLE pattern_sync.runs (
    id bigint NOT NULL,
    kind text NOT NULL,
    finished_at timestamp with time zone DEFAULT now() NOT NULL,
    duration_ms double precision NOT NULL,
    total_candidates bigint NOT NULL,
    synced bigint NOT NULL,
    refreshed bigint NOT NULL,
    skipped bigint NOT NULL,
    errors bigint NOT NULL,
    remaining bigint NOT NULL
);
COMMENT ON TABLE pattern_sync.runs IS 'What the last scans did.';
ALTER TABLE pattern_sync.runs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pattern_sync.runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pattern_sync.savings_by_day (
    pattern_id text NOT NULL,
    day date NOT NULL,
    part text NOT NULL,
    source text NOT NULL,
    runs bigint NOT NULL,
    tried bigint NOT NULL,
    failed bigint NOT NULL,
    saved numeric NOT NULL,
    last_at timestamp with time zone,
    repeated bigint NOT NULL,
    superseded bigint NOT NULL
);
COMMENT ON TABLE pattern_sync.savings_by_day IS 'What all recorded runs add up to, day by day: kept by the sweep where they are too many to be added up for each question.';
COMMENT ON COLUMN pattern_sync.savings_by_day.pattern_id IS 'empty: of no pattern';
COMMENT ON COLUMN pattern_sync.savings_by_day.day IS 'in UTC';
COMMENT ON COLUMN pattern_sync.savings_by_day.part IS 'saved, baseline, undecided, no-pattern, deleted or unusable';
COMMENT ON COLUMN pattern_sync.savings_by_day.source IS 'the table that it was read from';
COMMENT ON COLUMN pattern_sync.savings_by_day.tried IS 'executions, of which it is known whether they succeeded';
COMMENT ON COLUMN pattern_sync.savings_by_day.saved IS 'USD';
COMMENT ON COLUMN pattern_sync.savings_by_day.repeated IS 'rows that say the same run once more';
COMMENT ON COLUMN pattern_sync.savings_by_day.superseded IS 'executions whose savings are in the log';
CREATE TABLE pattern_sync.savings_kept (
    is_one boolean DEFAULT true NOT NULL,
    kept_at timestamp with time zone NOT NULL,
    CONSTRAINT savings_kept_is_one_check CHECK (is_one)
);
COMMENT ON TABLE pattern_sync.savings_kept IS 'When savings_by_day was brought up to date; without a row, it is not used.';
CREATE TABLE pattern_sync.settings (
    only_row boolean DEFAULT true NOT NULL,
    min_confidence double precision DEFAULT 70,
    min_occurrences bigint DEFAULT 5,
    min_savings numeric DEFAULT 1000,
    only_types text[] DEFAULT '{}'::text[] NOT NULL,
    exclude_types text[] DEFAULT '{}'::text[] NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    max_age_days double precision,
    min_workflows bigint,
    CONSTRAINT settings_max_age_days_check CHECK (((max_age_days >= (0.01)::double precision) AND (max_age_days <= (36500)::double precision))),
    CONSTRAINT settings_min_confidence_check CHECK (((min_confidence >= (0)::double precision) AND (min_confidence <= (100)::double precision))),
    CONSTRAINT settings_min_occurrences_check CHECK (((min_occurrences >= (0)::bigint) AND (min_occurrences <= (2147483647)::bigint))),
    CONSTRAINT settings_min_savings_check CHECK (((min_savings >= (0)::numeric) AND (min_savings < 'Infinity'::numeric))),
    CONSTRAINT settings_min_workflows_check CHECK (((min_workflows >= (0)::bigint) AND (min_workflows <= (2147483647)::bigint))),
    CONSTRAINT settings_only_row_check CHECK (only_row)
);
COMMENT ON TABLE pattern_sync.settings IS 'The filter that the triggers and every daemon use: one row, published by a daemon at start and on reload. NULL: no such criterion. The defaults are the high-priority filter.';
CREATE TABLE pattern_sync.snoozes (
    pattern_id text NOT NULL,
    reviewer text NOT NULL,
    reason text,
    until timestamp with time zone,
    until_savings double precision,
    since timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT snoozes_check CHECK (((until IS NOT NULL) OR (until_savings IS NOT NULL)))
);
COMMENT ON TABLE pattern_sync.snoozes IS 'Pending entries that a person wants to see later: at a time, or when the claimed savings have doubled.';
COMMENT ON COLUMN pattern_sync.snoozes.until_savings IS 'USD a month';
CREATE TABLE pattern_sync.told (
    channel text NOT NULL,
    pattern_id text NOT NULL,
    message_id bigint NOT NULL,
    savings double precision NOT NULL
);
COMMENT ON TABLE pattern_sync.told IS 'Which patterns a channel was told of, at which savings (USD a month): each once, and again if they grow tenfold.';
CREATE TABLE pattern_sync.traits (
    pattern_id text NOT NULL,
    row_version text NOT NULL,
    status text NOT NULL,
    kind text NOT NULL,
    target text NOT NULL,
    shape text NOT NULL,
    words text NOT NULL,
    confidence double precision NOT NULL,
    occurrences bigint NOT NULL,
    savings double precision NOT NULL,
    impact double precision NOT NULL,
    evidence double precision,
    workflows bigint NOT NULL,
    first_seen timestamp with time zone,
    last_seen timestamp with time zone,
    flags text[] DEFAULT '{}'::text[] NOT NULL,
    reviewed_by text,
    reviewed_at timestamp with time zone,
    created_at timestamp with time zone,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
COMMENT ON TABLE pattern_sync.traits IS 'What entries are found, sorted and grouped by: a copy of the queue''s figures, with indexes that the application''s table must not get. A daemon keeps it; it may be behind, so no decision is based on it.';
COMMENT ON COLUMN pattern_sync.traits.row_version IS 'of the entry that was read last: anything else there means that it has changed';
COMMENT ON COLUMN pattern_sync.traits.words IS 'what a search looks through, in lower case';
COMMENT ON COLUMN pattern_sync.traits.confidence IS '0 to 1';
COMMENT ON COLUMN pattern_sync.traits.savings IS 'USD a month, as claimed';
COMMENT ON COLUMN pattern_sync.traits.evidence IS 'USD a month, by what is recorded; NULL: nothing is';
CREATE TABLE pattern_sync.written (
    pattern_id text NOT NULL,
    confidence double precision,
    occurrences bigint,
    savings numeric
);
COMMENT ON TABLE pattern_sync.written IS 'The figures that the source had when we wrote an entry last. A figure of the entry is written again only when the source''s has moved since: what another service has set on purpose, or a trigger has rounded, stays until then.';
ALTER TABLE ONLY pattern_sync.adjustments
    ADD CONSTRAINT adjustments_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pattern_sync.answers
    ADD CONSTRAINT answers_pkey PRIMARY KEY (key);
ALTER TABLE ONLY pattern_sync.batch_items
    ADD CONSTRAINT batch_items_pkey PRIMARY KEY (batch_id, pattern_id);
ALTER TABLE ONLY pattern_sync.batches
    ADD CONSTRAINT batches_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pattern_sync.channels
    ADD CONSTRAINT channels_pkey PRIMARY KEY (channel);
ALTER TABLE ONLY pattern_sync.decisions
    ADD CONSTRAINT decisions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pattern_sync.detected_sessions
    ADD CONSTRAINT detected_sessions_pkey PRIMARY KEY (session_id);
ALTER TABLE ONLY pattern_sync.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pattern_sync.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY pattern_sync.models
    ADD CONSTRAINT models_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pattern_sync.predictions
    ADD CONSTRAINT predictions_pkey PRIMARY KEY (pattern_id);
ALTER TABLE ONLY pattern_sync.recorded_savings
    ADD CONSTRAINT recorded_savings_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pattern_sync.refusals
    ADD CONSTRAINT refusals_pkey PRIMARY KEY (row_id);
ALTER TABLE ONLY pattern_sync.rejections
    ADD CONSTRAINT rejections_pkey PRIMARY KEY (pattern_id);
ALTER TABLE ONLY pattern_sync.reported_events
    ADD CONSTRAINT reported_events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pattern_sync.routines
    ADD CONSTRAINT routines_pkey PRIMARY KEY (signature);
ALTER TABLE ONLY pattern_sync.routines
    ADD CONSTRAINT routines_shape_key UNIQUE (shape);
ALTER TABLE ONLY pattern_sync.rule_log
    ADD CONSTRAINT rule_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pattern_sync.rules
    ADD CONSTRAINT rules_pkey PRIMARY KEY (name);
ALTER TABLE ONLY pattern_sync.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pattern_sync.savings_by_day
    ADD CONSTRAINT savings_by_day_pkey PRIMARY KEY (pattern_id, day, part, source);
ALTER TABLE ONLY pattern_sync.savings_kept
    ADD CONSTRAINT savings_kept_pkey PRIMARY KEY (is_one);
ALTER TABLE ONLY pattern_sync.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY pattern_sync.snoozes
    ADD CONSTRAINT snoozes_pkey PRIMARY KEY (pattern_id);
ALTER TABLE ONLY pattern_sync.told
    ADD CONSTRAINT told_pkey PRIMARY KEY (channel, pattern_id);
ALTER TABLE ONLY pattern_sync.traits
    ADD CONSTRAINT traits_pkey PRIMARY KEY (pattern_id);
ALTER TABLE ONLY pattern_sync.written
    ADD CONSTRAINT written_pkey PRIMARY KEY (pattern_id);
CREATE INDEX adjustments_pattern_idx ON pattern_sync.adjustments USING btree (pattern_id, id);
CREATE INDEX answers_asked_idx ON pattern_sync.answers USING btree (asked_at);
CREATE INDEX batch_items_pattern_idx ON pattern_sync.batch_items USING btree (pattern_id);
CREATE INDEX batches_decided_idx ON pattern_sync.batches USING btree (decided_at);
CREATE INDEX decisions_decided_idx ON pattern_sync.decisions USING btree (decided_at);
CREATE INDEX decisions_pattern_idx ON pattern_sync.decisions USING btree (pattern_id);
CREATE INDEX messages_channel_idx ON pattern_sync.messages USING btree (channel, kind, id);
CREATE UNIQUE INDEX messages_gathering_idx ON pattern_sync.messages USING btree (channel, kind) WHERE ((state = 'open'::text) AND (attempts = 0));
CREATE INDEX messages_open_idx ON pattern_sync.messages USING btree (due_at) WHERE (state = 'open'::text);
CREATE INDEX recorded_savings_pattern_idx ON pattern_sync.recorded_savings USING btree (pattern_id);
CREATE INDEX refusals_due_idx ON pattern_sync.refusals USING btree (retry_at);
CREATE UNIQUE INDEX reported_events_once_idx ON pattern_sync.reported_events USING btree (session_id, call_id, phase);
CREATE INDEX reported_events_time_idx ON pattern_sync.reported_events USING btree (reported_at);
CREATE INDEX rule_log_batch_idx ON pattern_sync.rule_log USING btree (batch_id) WHERE (batch_id IS NOT NULL);
CREATE UNIQUE INDEX rule_log_marks_idx ON pattern_sync.rule_log USING btree (rule, pattern_id) WHERE ((ended_at IS NULL) AND (act = ANY (ARRAY['would'::text, 'checked'::text])));
CREATE INDEX rule_log_pattern_idx ON pattern_sync.rule_log USING btree (pattern_id);
CREATE INDEX rule_log_rule_idx ON pattern_sync.rule_log USING btree (rule, act, at);
CREATE INDEX told_message_idx ON pattern_sync.told USING btree (message_id);
CREATE INDEX told_pattern_idx ON pattern_sync.told USING btree (pattern_id);
CREATE INDEX traits_impact_idx ON pattern_sync.traits USING btree (status, impact DESC, pattern_id);
CREATE INDEX traits_kind_idx ON pattern_sync.traits USING btree (kind);
CREATE INDEX traits_savings_idx ON pattern_sync.traits USING btree (status, savings DESC, pattern_id);
CREATE INDEX traits_shape_idx ON pattern_sync.traits USING btree (md5(shape));
CREATE INDEX traits_worth_idx ON pattern_sync.traits USING btree (status, COALESCE(evidence, savings) DESC);
CREATE TRIGGER announce_settings AFTER INSERT OR UPDATE ON pattern_sync.settings FOR EACH ROW EXECUTE FUNCTION pattern_sync.announce_settings();
ALTER TABLE pattern_sync.settings ENABLE ALWAYS TRIGGER announce_settings;
