-- Decisions of people: made alone or together, and taken back. The text is ASCII, as a database may be LATIN1.
--
-- The functions run with the rights and on the search_path of the caller: the application's own triggers on these
-- tables run as they do for every other statement. Every parameter is qualified, as the application's columns may have
-- the same names.
--
-- Plans: rows are found by `= ANY (array)` on an indexed column, and by nothing else, so that 10,000 of them cost
-- 10,000 look-ups. Functions that write to the application's tables have no other planner setting than the
-- reconcile's, as those also apply to its own triggers. Nothing is joined but by hashing. What one statement hands to
-- the next are lists beside a list of names, and the rows of the patterns are looked up by name once: 10,000 entries
-- take as long as the pages that are fetched for them, as the tables are larger than the server's buffers.

-- Whether the history holds an event of each pattern although its INSERT reported fewer rows. A trigger that moves rows
-- into child tables makes the INSERT report none.
CREATE OR REPLACE FUNCTION pattern_sync.are_noted(signatures text[], action text, reviewer text, notes text)
RETURNS boolean LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
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

-- The same for one pattern.
CREATE OR REPLACE FUNCTION pattern_sync.is_noted(signature text, action text, reviewer text, notes text)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT pattern_sync.are_noted(ARRAY[signature], action, reviewer, notes)
$$;

-- The row ids of the patterns with some signatures.
CREATE OR REPLACE FUNCTION pattern_sync.rows_of(signatures text[])
RETURNS bigint[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
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

-- The members of one list that another does not have.
CREATE OR REPLACE FUNCTION pattern_sync.without(signatures text[], others text[])
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY(
        SELECT one.signature FROM pg_catalog.unnest(signatures) AS one (signature)
        EXCEPT
        SELECT other.signature FROM pg_catalog.unnest(others) AS other (signature)
        ORDER BY 1
    )
$$;

-- Those of some patterns that nobody has locked, in key order, and the ids of their rows; the others are left out at
-- once. They stay locked until the transaction ends. A pattern without a row is free. The ids are looked up by the
-- caller; a row that has got another name since is left alone.
CREATE OR REPLACE FUNCTION pattern_sync.lock_patterns(
    signatures text[], row_ids bigint[], OUT free text[], OUT locked bigint[]
) LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
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

-- Whether an error says that the patterns' table takes no such mark, on whatever row.
CREATE OR REPLACE FUNCTION pattern_sync.takes_no_such_mark(code text, constraint_name text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
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

-- Write the mark of a batch on some patterns. If the application's table does not allow the status there (by a CHECK,
-- an enum, a lookup table or a length limit), the rest of the mark is still written. What refuses one row and not the
-- other is tried row by row.
CREATE OR REPLACE FUNCTION pattern_sync.mark_patterns(batch bigint, row_ids bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
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

-- What a decision replaces, and an undo puts back: of the entry, of its pattern, and whether a rejection is remembered.
-- Of several rows of a pattern, the first stands for all. It is a list beside a list of names: as one object by name,
-- 10,000 of them would be written and read twice.
CREATE OR REPLACE FUNCTION pattern_sync.states_before(
    signatures text[], row_ids bigint[], OUT names text[], OUT states jsonb[]
) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_nestloop = off SET plan_cache_mode = force_generic_plan AS $$
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

-- What an undo compares with an entry: it is the batch's own decision as long as this is what the batch wrote.
CREATE OR REPLACE FUNCTION pattern_sync.decided_state(status text, reviewer text, decided_at anyelement)
RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.jsonb_build_object('status', status, 'reviewed_by', reviewer, 'reviewed_at', decided_at)
$$;

-- Write the decision of a batch on some entries that this transaction has locked, their history, the mark on their
-- patterns, and what it takes to undo it. Raises PS001 if a trigger, rule or policy of the application silently keeps a
-- part of it out; an error of any row undoes them all. `row_ids` are the locked rows of the patterns; NULL if unknown.
--
-- A rejection that the pattern itself does not show is remembered in our schema, as it has to outlive the entry.
--
-- The status is converted through a row, and the action is a literal: the column may be an enum or a domain, and after
-- an ALTER TABLE a variable of its type would keep the old type in every open session.
CREATE OR REPLACE FUNCTION pattern_sync.decide_set(batch bigint, signatures text[], row_ids bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
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

-- Keep what it takes to undo the decision of a batch on some entries, by what they were. Returns of how many: only a
-- status that can be read back is a decision, as a trigger may have changed it.
CREATE OR REPLACE FUNCTION pattern_sync.keep_items(
    batch bigint, decision text, names text[], states jsonb[], marks jsonb
)
RETURNS bigint LANGUAGE plpgsql
SET enable_seqscan = off SET enable_nestloop = off SET plan_cache_mode = force_generic_plan AS $$
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

-- The notes of an entry: a rejection's reason has the prefix that the application's own readers expect.
CREATE OR REPLACE FUNCTION pattern_sync.noted_as(action text, notes text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE action WHEN 'rejected' THEN 'REJECTED: ' ELSE '' END || notes
$$;

-- Write a batch, or its undo by somebody, on some entries: all at once and, after an error, in halves, down to the ones
-- that are refused, each with the server's words (null: it was kept out silently). What somebody has locked is left,
-- and so is, after five seconds, what was not tried. If the caller `waits` for a lock, an error that may pass is
-- raised. `row_ids` are the locked rows of the patterns.
CREATE OR REPLACE FUNCTION pattern_sync.write_in_parts(
    batch bigint, undoer text, signatures text[], row_ids bigint[], waits boolean,
    OUT written text[], OUT refused jsonb
) LANGUAGE plpgsql AS $$
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

-- The batch whose decision stands on an entry; NULL if it was made by another program, or is forgotten.
CREATE OR REPLACE FUNCTION pattern_sync.standing_batch(signature text)
RETURNS bigint LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (
        SELECT pg_catalog.max(i.batch_id) FROM pattern_sync.batch_items AS i
        WHERE i.pattern_id = standing_batch.signature AND i.undone_at IS NULL
    );
END $$;

-- Decide some entries, each once: the status that replaces another, the action in their history, and the mark on their
-- patterns. All that can be decided is decided in one transaction, and nothing else is touched. Returns an outcome for
-- each, and its batch: decided; already, where this very decision stands; taken, by somebody else; busy, as somebody
-- has locked the entry or its pattern; moved, where the entry has another status than the one to be replaced; unknown;
-- refused, by a trigger, rule or policy of the application (without a detail: silently). A rehearsal writes nothing.
--
-- `seen` is what the reviewer saw beside the figures: {"positions": {signature: place}, "seconds": how long}.
--
-- If it `waits`, then for a lock for less than a deadlock_timeout (1 s): if it and a transaction of the application
-- wait for each other, this one fails and is tried again. Rows are locked in key order.
CREATE OR REPLACE FUNCTION pattern_sync.decide_many(
    signatures text[], decision text, action text, mark text, reviewer text, notes text, replaces text,
    seen jsonb, waits boolean, rehearsal boolean
)
RETURNS TABLE (
    batch_id bigint, place bigint, pattern_id text, outcome text, status text, reviewed_by text,
    reviewed_at timestamptz, savings double precision, detail text
) LANGUAGE plpgsql
SET lock_timeout = '800ms' AS $$
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

-- Lock those of some entries that have a status, and their patterns; return the ones that this transaction has locked
-- now, in key order, and the locked rows of their patterns. The others are skipped, unless it `waits`. A rehearsal
-- locks nothing. `row_ids` are the rows of all these patterns, as far as known.
CREATE OR REPLACE FUNCTION pattern_sync.lock_entries(
    signatures text[], row_ids bigint[], status text, waits boolean, rehearsal boolean,
    OUT free text[], OUT locked bigint[]
) LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
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

-- How some entries stand after a decision or an undo, in the given order.
CREATE OR REPLACE FUNCTION pattern_sync.standing(signatures text[], written text[], refused jsonb)
RETURNS TABLE (
    place bigint, signature text, is_written boolean, is_refused boolean, detail text,
    status text, reviewed_by text, reviewed_at timestamptz, notes text, savings double precision
) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_nestloop = off SET plan_cache_mode = force_custom_plan AS $$
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

-- The evidence that a reviewer saw and its flags, beside the names. No decision fails because of it: it is null if it
-- cannot be read.
CREATE OR REPLACE FUNCTION pattern_sync.evidence_seen(
    signatures text[], row_ids bigint[], OUT names text[], OUT evidence jsonb[], OUT flags jsonb[]
) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
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

-- Record what the reviewer saw of each entry of a batch: figures, traits, evidence and flags, and where and how long;
-- and what was foretold of the decision while the entry was pending.
CREATE OR REPLACE FUNCTION pattern_sync.record_decisions(
    batch bigint, signatures text[], seen jsonb, names text[], evidence jsonb[], flags jsonb[]
)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_nestloop = off SET plan_cache_mode = force_generic_plan AS $$
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

-- Forget batches after 30 days. The record of their decisions stays.
CREATE OR REPLACE FUNCTION pattern_sync.forget_batches()
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
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

-- Write a person's decision, its history and the mark on the pattern in one transaction. Returns false, with nothing
-- written, if no entry has the status to be replaced: somebody was faster, or there is no entry. Returns NULL, with
-- nothing written, if a trigger, rule or policy of the application silently kept the decision out.
--
-- It is what daemons of 0.3.0 call: a batch of one.
CREATE OR REPLACE FUNCTION pattern_sync.decide(
    signature text, decision text, reviewer text, notes text, replaces text
) RETURNS boolean LANGUAGE plpgsql AS $$
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

-- Take back the decision of a batch on some entries that this transaction has locked: put the entry and the mark on the
-- pattern to what they were, and note it. Raises PS001 as `decide_set` does.
CREATE OR REPLACE FUNCTION pattern_sync.undo_set(batch bigint, signatures text[], undoer text)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
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

-- Why some decisions of a batch cannot be undone, by signature: touched, gone-on or unknown. `after` is what the batch
-- wrote. A later decision that equals the batch's (by the same person, in the same second of a coarse column) is
-- another.
CREATE OR REPLACE FUNCTION pattern_sync.outlook(batch bigint, signatures text[], after jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
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

-- Undo a batch, at most seven days old, or its decisions on some entries (NULL: all): what nobody has touched since.
-- Returns an outcome for each of them that is not undone yet, so none if the batch is unknown, too old or undone:
-- undone; touched, as it is not the batch's decision any more; gone-on, as somebody has taken the pattern further;
-- busy, as somebody has locked the entry or its pattern; unknown, as the entry is gone; refused, as by `decide_many`.
CREATE OR REPLACE FUNCTION pattern_sync.undo_part(batch bigint, signatures text[], undoer text)
RETURNS TABLE (pattern_id text, outcome text, detail text) LANGUAGE plpgsql
SET enable_seqscan = off SET lock_timeout = '800ms' AS $$
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

-- Undo a whole batch, as `undo_part` does.
CREATE OR REPLACE FUNCTION pattern_sync.undo_batch(batch bigint, undoer text)
RETURNS TABLE (pattern_id text, outcome text, detail text) LANGUAGE sql AS $$
    SELECT u.pattern_id, u.outcome, u.detail FROM pattern_sync.undo_part(batch, NULL, undoer) AS u
$$;

-- Put a pending entry off until a time, or until its savings have doubled, or whichever comes first, in place of an
-- earlier wish. Returns 'snoozed'; 'zero', as no savings are there that could double; or 'none', as no such entry is
-- pending. The review pages are told, and wishes that were over a week ago are forgotten.
CREATE OR REPLACE FUNCTION pattern_sync.snooze(
    signature text, until timestamptz, until_doubled boolean, reviewer text, reason text
)
RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET lock_timeout = '800ms' AS $$
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

-- End the snooze of an entry, if there is one, and tell the review pages.
CREATE OR REPLACE FUNCTION pattern_sync.wake(signature text)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET lock_timeout = '800ms' AS $$
BEGIN
    DELETE FROM pattern_sync.snoozes AS s WHERE s.pattern_id = wake.signature;
    IF FOUND THEN
        PERFORM pattern_sync.tell_changes('refreshed', ARRAY[wake.signature]);
    END IF;
END $$;
