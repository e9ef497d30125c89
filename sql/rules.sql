-- Rules: bounds as data that decide for people, once people's own decisions have shown that they agree. The text is
-- ASCII, as a database may be LATIN1.
--
-- A rule is handed on as an object, made of its row: whoever calls with one at hand is planned for its values
-- (force_custom_plan), and bounds that it does not have are gone before the first row is read.
--
-- No decision is based on the traits, which may be behind: they only say where to look. What a rule decides is judged
-- by the entry itself, locked, and by what is recorded at that moment.

-- Whether a sequence of tools has all of some and none of others, in small letters. NULL: nothing is asked for.
CREATE OR REPLACE FUNCTION pattern_sync.has_tools(tools text[], needed text[], unwanted text[])
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
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

-- Whether all flags of an entry are among those that a rule allows. NULL: it is not known what is recorded.
CREATE OR REPLACE FUNCTION pattern_sync.are_allowed(flags text[], allowed text[])
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(pg_catalog.arraycontains(coalesce(allowed, '{}'::text[]), flags), false)
$$;

-- The flags of an entry as a decision's record has them, a list of plain words; NULL if it is not known. A conversion
-- through text takes a fifth of what taking the list apart does.
CREATE OR REPLACE FUNCTION pattern_sync.recorded_flags(shown jsonb)
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE pg_catalog.left(pg_catalog.jsonb_extract_path_text(shown, 'flags'), 1)
        WHEN '[' THEN pg_catalog.translate(pg_catalog.jsonb_extract_path_text(shown, 'flags'), '[]"', '{}')::text[]
    END
$$;

-- Whether an entry is within the bounds of a rule: the one definition, for trials, marks and decisions alike. The
-- confidence is in percent, savings are USD a month.
CREATE OR REPLACE FUNCTION pattern_sync.rule_fits(
    rule jsonb, confidence double precision, occurrences double precision, savings double precision,
    kind text, tools text[], workflows double precision, days_seen double precision, flags text[]
)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
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

-- The names of the tools in a sequence or a shape.
CREATE OR REPLACE FUNCTION pattern_sync.tools_of(sequence text)
RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.string_to_array(sequence, pattern_sync.arrow())
$$;

-- The word of the history for a verdict.
CREATE OR REPLACE FUNCTION pattern_sync.action_of(verdict text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE verdict WHEN 'approve' THEN 'approved' WHEN 'reject' THEN 'rejected' END
$$;

-- Where a pattern falls between 0 and 1, the same for ever: below a rule's share of checks it is left to people. It
-- depends on the name alone, so that no other rule decides what one rule is checked by.
CREATE OR REPLACE FUNCTION pattern_sync.lot_of(signature text)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (
        pg_catalog.get_byte(digest, 0)::double precision * 16777216::double precision
        + pg_catalog.get_byte(digest, 1)::double precision * 65536::double precision
        + pg_catalog.get_byte(digest, 2)::double precision * 256::double precision
        + pg_catalog.get_byte(digest, 3)::double precision
    ) / 4294967296::double precision
    FROM pg_catalog.decode(pg_catalog.left(pg_catalog.md5(signature), 8), 'hex') AS digest
$$;

-- The standing decisions of people, with what they saw: from the record, and for those before it from the entries,
-- whose figures no machine of ours has touched since; of these, what is recorded is as of now. No machine's decision is
-- among them. A batch teaches one lesson for each shape. It is one SELECT, so that PostgreSQL inlines it.
--
-- Percents are computed in decimals, as bounds are compared with them: in binary, 100 x 0.58 is less than 58.
CREATE OR REPLACE FUNCTION pattern_sync.people_decided()
RETURNS TABLE (
    pattern_id text, approved boolean, reviewer text, decided_at timestamptz, lesson text,
    confidence double precision, occurrences bigint, savings double precision, evidence double precision,
    kind text, target text, shape text, workflows bigint, days_seen double precision, flags text[]
) LANGUAGE sql STABLE AS $$
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

-- What people have decided of all that a rule would have, since a time (NULL: ever).
CREATE OR REPLACE FUNCTION pattern_sync.judged(rule jsonb, since timestamptz)
RETURNS TABLE (
    pattern_id text, agrees boolean, reviewer text, decided_at timestamptz, lesson text, savings double precision
) LANGUAGE sql STABLE AS $$
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

-- How many patterns people have decided since a time (NULL: ever). `people_decided` would read the figures of each.
CREATE OR REPLACE FUNCTION pattern_sync.count_decided(since timestamptz)
RETURNS bigint LANGUAGE sql STABLE AS $$
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

-- How many decisions people have made since a time (NULL: ever), how many of them a rule would have made, and with how
-- many of these they agree; and the same counted in lessons, which is what a rule has to prove itself by.
CREATE OR REPLACE FUNCTION pattern_sync.measure_rule(
    rule jsonb, since timestamptz,
    OUT decided bigint, OUT fitting bigint, OUT agreed bigint, OUT lessons bigint, OUT agreed_lessons bigint,
    OUT largest double precision
) LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET plan_cache_mode = force_custom_plan SET work_mem = '64MB' AS $$
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

-- The decisions of people, since a time (NULL: ever), that a rule would have made otherwise, those worth most first.
CREATE OR REPLACE FUNCTION pattern_sync.disagreements(rule jsonb, since timestamptz, most bigint)
RETURNS TABLE (
    pattern_id text, reviewer text, decided_at timestamptz, savings double precision, notes text
) LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET plan_cache_mode = force_custom_plan SET work_mem = '64MB' AS $$
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

-- The entries that are there, and how many of them each bound of a rule lets through alone; the pending ones that it
-- fits, and of those of the last 30 days how many there are and how many it fits, decided or not, with the
-- extremes of their figures and the flags of one whose flags it does not allow.
CREATE OR REPLACE FUNCTION pattern_sync.reach_of(
    rule jsonb,
    OUT entries bigint, OUT pending bigint, OUT fitting_pending bigint, OUT fitting_savings double precision,
    OUT recent bigint, OUT fitting_recent bigint, OUT fitting bigint, OUT alone jsonb, OUT extremes jsonb
) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan AS $$
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

-- Those of some patterns that a person has in hand, so that no rule decides them: somebody has decided, commented or
-- queued them, wants to see them later, has objected or taken a rule's decision back.
CREATE OR REPLACE FUNCTION pattern_sync.in_hand(signatures text[])
RETURNS text[] LANGUAGE plpgsql STABLE
SET enable_nestloop = off SET plan_cache_mode = force_custom_plan AS $$
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

-- Those of some pending entries that a rule fits as they are now, with what is recorded now. One whose record cannot be
-- read at the moment, as somebody has locked it, is left out.
CREATE OR REPLACE FUNCTION pattern_sync.fitting_now(rule jsonb, signatures text[])
RETURNS text[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_nestloop = off SET plan_cache_mode = force_custom_plan AS $$
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

-- Those of some pending entries that a rule may decide now: it fits them, nobody has them in hand, they are not the
-- largest of the queue, and no other rule that watches or is on would decide otherwise.
CREATE OR REPLACE FUNCTION pattern_sync.decidable(rule_name text, signatures text[])
RETURNS text[] LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan AS $$
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

-- The pending entries, mostly one, that claim the largest savings of the queue.
CREATE OR REPLACE FUNCTION pattern_sync.largest_pending()
RETURNS text[] LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan AS $$
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

-- Bring the marks of a rule that watches or is on up to date: mark what it would decide, or leaves to people as a
-- check, at most `most` at once; end the marks of what a person has decided, and of what does not fit any more. Returns
-- the patterns whose mark people see, and that is new or gone; none if the rule was changed meanwhile.
CREATE OR REPLACE FUNCTION pattern_sync.mark_entries(rule_name text, version bigint, most bigint)
RETURNS text[] LANGUAGE plpgsql
SET enable_nestloop = off SET plan_cache_mode = force_custom_plan SET work_mem = '64MB' AS $$
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

-- What rules would decide of a pending entry, as an object; NULL if none would, or two of them would not agree. The
-- first of those that would is named; its time is null while it only watches.
CREATE OR REPLACE FUNCTION pattern_sync.mark_of(signature text)
RETURNS jsonb LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
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

-- End the live marks of a rule, and tell the pages of those that people see.
CREATE OR REPLACE FUNCTION pattern_sync.end_marks(rule_name text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    seen CONSTANT text[] := pattern_sync.marked_by(end_marks.rule_name);
BEGIN
    UPDATE pattern_sync.rule_log AS l SET ended_at = pg_catalog.clock_timestamp()
    WHERE l.rule = end_marks.rule_name AND l.ended_at IS NULL AND l.act IN ('would', 'checked');
    PERFORM pattern_sync.tell_changes('refreshed', seen);
END $$;

-- Pause a rule that is on, for a reason. False if it is not on any more, or is another version.
CREATE OR REPLACE FUNCTION pattern_sync.pause_rule(rule_name text, version bigint, because text, who text)
RETURNS boolean LANGUAGE plpgsql AS $$
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

-- The rules that are paused, each with its last pause: by its id, which is written with the pause, people can tell it
-- from every other.
CREATE OR REPLACE FUNCTION pattern_sync.standing_pauses()
RETURNS TABLE (id bigint, rule text, version bigint, verdict text, because text, at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT l.id, l.rule, l.version, r.verdict, l.reason, l.at
    FROM pattern_sync.rules AS r
    JOIN pattern_sync.rule_log AS l ON l.id = (
        SELECT pg_catalog.max(each.id) FROM pattern_sync.rule_log AS each
        WHERE each.rule = r.name AND each.act = 'paused'
    )
    WHERE r.state = 'paused'
$$;

-- Whether a daemon has looked at a rule that is on within half of its waiting time. If not, nobody could object for
-- most of that: the daemons were down, or the clock has jumped.
CREATE OR REPLACE FUNCTION pattern_sync.is_looked_after(looked_at timestamptz, wait_hours double precision)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        looked_at > pg_catalog.clock_timestamp()
        - pg_catalog.make_interval(secs => wait_hours * 1800::double precision),
        false
    )
$$;

-- The entries that a rule has marked its waiting time ago, those that have waited longest, at most 10,000.
CREATE OR REPLACE FUNCTION pattern_sync.due_marks(rule_name text, version bigint, wait_hours double precision)
RETURNS TABLE (pattern_id text, since timestamptz) LANGUAGE sql STABLE AS $$
    SELECT l.pattern_id, l.at
    FROM pattern_sync.rule_log AS l
    WHERE l.rule = due_marks.rule_name AND l.version = due_marks.version
      AND l.act = 'would' AND l.ended_at IS NULL
      AND l.at <= pg_catalog.clock_timestamp()
      - pg_catalog.make_interval(secs => due_marks.wait_hours * 3600::double precision)
    ORDER BY l.at, l.pattern_id
    LIMIT 10000
$$;

-- What a rule that is on has done since it was switched on, for a look at whether it may go on: for how many hours no
-- daemon has looked at it, how many of its decisions of the last 30 days people have taken back or turned around, how
-- many of those that it approved have got a flag that it does not allow, and how many entries are due. Unless nobody
-- has looked for too long, it counts as looked at now. No row if another daemon is at it, or if it is not on any more.
CREATE OR REPLACE FUNCTION pattern_sync.look_at_rule(rule_name text, version bigint)
RETURNS TABLE (unseen_hours double precision, taken_back bigint, flagged bigint, due bigint) LANGUAGE plpgsql AS $$
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

-- Decide what a rule has marked, its waiting time ago, and may decide: in one transaction, with what it takes to undo
-- it. Returns an outcome for each as `decide_many` does. The rule's row stays locked meanwhile, so that no other daemon
-- counts the same day's budget; where more is due than that leaves, one more row says 'full', or 'paused' with the
-- reason if that happened before, on another day. A clock that was set back counts against the rule.
CREATE OR REPLACE FUNCTION pattern_sync.apply_rule(rule_name text, version bigint, notes text)
RETURNS TABLE (pattern_id text, outcome text, batch_id bigint, detail text) LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
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

-- The reviewer's name under which a rule decides.
CREATE OR REPLACE FUNCTION pattern_sync.rule_reviewer(rule_name text, version bigint)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.concat('rule:', rule_name, '@', version)
$$;

-- Note that decisions of rules were taken back by somebody: those of a batch, or whichever stand on some entries
-- (NULL), as a person has decided anew (`human`).
CREATE OR REPLACE FUNCTION pattern_sync.note_taken_back(batch bigint, signatures text[], who text, human text)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
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

-- Note what a person has decided of some entries, for the rules that have marked them, or had decided them before.
CREATE OR REPLACE FUNCTION pattern_sync.note_human(signatures text[], human text, who text, replaced text)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
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

-- Take back, in a person's name, what rules have decided of some entries within the last minute: the person still saw
-- them pending, and people win. Returns those that are pending again.
CREATE OR REPLACE FUNCTION pattern_sync.take_back(signatures text[], who text)
RETURNS text[] LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
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

-- Object to what rules are about to decide of an entry: none of them ever decides it. What one has decided within the
-- last minute is taken back. Returns what came of it: 'vetoed'; 'taken-back'; 'decided', by whomever; 'unmarked', as no
-- rule is about to decide it; or 'unknown', as there is no such entry.
--
-- A rule that is deciding just now is waited for.
CREATE OR REPLACE FUNCTION pattern_sync.veto(signature text, who text, reason text)
RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_custom_plan SET lock_timeout = '2s' AS $$
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

-- Write a rule: a new one if `version` is 0, else in place of that version, which has to be the latest. A change is a
-- new version; a rule that was not off watches again. Returns the version from now on; NULL if another was written
-- meanwhile.
CREATE OR REPLACE FUNCTION pattern_sync.set_rule(rule_name text, version bigint, terms jsonb, who text)
RETURNS bigint LANGUAGE plpgsql AS $$
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

-- The patterns on which people see a live mark of a rule.
CREATE OR REPLACE FUNCTION pattern_sync.marked_by(rule_name text)
RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT l.pattern_id FROM pattern_sync.rule_log AS l
        WHERE l.rule = marked_by.rule_name AND l.ended_at IS NULL AND l.act = 'would'
        ORDER BY l.pattern_id
    );
END $$;

-- Have a rule watch, decide or do nothing from now on ('watching', 'on', 'off'). When it is switched on, the waiting
-- time of all that it has marked begins anew, as nobody was told before that something would be decided. False if there
-- is no such version.
CREATE OR REPLACE FUNCTION pattern_sync.switch_rule(rule_name text, version bigint, state text, who text)
RETURNS boolean LANGUAGE plpgsql AS $$
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

-- Forget marks that came to nothing over 30 days ago, and what rules did with entries that are gone.
CREATE OR REPLACE FUNCTION pattern_sync.prune_rule_log()
RETURNS void LANGUAGE plpgsql
SET enable_nestloop = off SET plan_cache_mode = force_custom_plan AS $$
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
