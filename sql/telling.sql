-- Telling: which patterns, and which pauses of rules, people are told of outside the page, by which message. The text
-- is ASCII, as a database may be LATIN1.
--
-- It is level-triggered: what is pending, worth so much and not told yet is looked for, and which rules are paused; no
-- event has to be remembered. A daemon that dies between any two steps leaves what the next one goes on with.

-- The pending patterns that a channel was not told of, with what each is worth a month: the savings by evidence where
-- there is any. One that was told is told once more if it is worth ten times as much now. What somebody wants to see
-- later is not told before.
CREATE OR REPLACE FUNCTION pattern_sync.untold(channel text, min_savings double precision)
RETURNS TABLE (pattern_id text, savings double precision) LANGUAGE sql STABLE AS $$
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

-- Whether nothing may be sent over a channel: its receiver has refused.
CREATE OR REPLACE FUNCTION pattern_sync.is_off(channel text)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM pattern_sync.channels AS c WHERE c.channel = is_off.channel AND c.off_since IS NOT NULL)
$$;

-- The pauses that a channel was not told of: the last one of each rule that is paused still. Of one from over 30 days
-- ago nobody knows whether it was told, as messages are kept for so long.
CREATE OR REPLACE FUNCTION pattern_sync.untold_pauses(channel text)
RETURNS TABLE (id bigint, at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT p.id, p.at
    FROM pattern_sync.standing_pauses() AS p
    WHERE p.at > pg_catalog.clock_timestamp() - '30 days'::interval
      AND NOT EXISTS (
          SELECT FROM pattern_sync.messages AS m
          WHERE m.channel = untold_pauses.channel AND m.kind = 'rule_paused' AND p.id = ANY (m.pauses)
      )
$$;

-- The open messages of some channels that may be sent, each from its time on. Over one channel they go in their
-- order: one that could not be sent yet holds back those that still gather, which costs nothing, as they go on
-- gathering. Only that a rule is paused does not wait behind others: it may be they that a receiver does not take.
CREATE OR REPLACE FUNCTION pattern_sync.sendable(channels text[])
RETURNS TABLE (id bigint, at timestamptz) LANGUAGE sql STABLE AS $$
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

-- Begin a message for each of these channels that has something to be told and no message that gathers: due after
-- `wait_seconds`, and `every_seconds` after the last one at the earliest. Begin a digest for each that has none for
-- this slot (NULL: no digest is due), after its first message: on a full queue that one tells all. Returns when the
-- next message may be sent, in seconds from now; NULL if there is none.
CREATE OR REPLACE FUNCTION pattern_sync.plan_messages(
    channels text[], min_savings double precision, wait_seconds double precision, every_seconds double precision,
    slot timestamptz
)
RETURNS double precision LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
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

-- Begin a message for each of these channels that was not told of a pause and has no such message that gathers: due
-- `wait_seconds` after the first of the pauses, with all that come meanwhile, and whenever the last message was sent.
-- That takes no pace: a rule pauses once, until a person has switched it on again.
CREATE OR REPLACE FUNCTION pattern_sync.plan_pauses(channels text[], wait_seconds double precision)
RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
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

-- Take the next message of these channels that may be sent now, for so long; no row if there is none.
CREATE OR REPLACE FUNCTION pattern_sync.claim_message(channels text[], lease_seconds double precision)
RETURNS TABLE (
    id bigint, key text, channel text, kind text, created_at timestamptz, letter text, attempts integer
) LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
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

-- Settle what a message tells of, at its first attempt: all that its channel was not told of yet. A digest tells of
-- all that is worth so much. Returns the names of those worth most that are still pending, at most `most`, and of all
-- how many there are, what they are worth together, and how many have waited for over a week.
CREATE OR REPLACE FUNCTION pattern_sync.gather_message(
    message_id bigint, attempts integer, min_savings double precision, most bigint,
    OUT signatures text[], OUT patterns bigint, OUT savings double precision, OUT old bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
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

-- Settle which pauses a message tells of, at its first attempt: all that its channel was not told of yet. Returns those
-- that still stand, the first ones first, each with how much its rule has decided within seven days, which is as long
-- as that can be taken back, and how much was.
CREATE OR REPLACE FUNCTION pattern_sync.gather_pauses(message_id bigint, attempts integer)
RETURNS TABLE (
    id bigint, rule text, version bigint, verdict text, because text, at timestamptz, decided bigint, taken_back bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
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

-- Keep the text of a message for all of its attempts; false if another daemon has taken it meanwhile.
CREATE OR REPLACE FUNCTION pattern_sync.freeze_message(message_id bigint, attempts integer, letter jsonb)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pattern_sync.messages AS m SET letter = freeze_message.letter
    WHERE m.id = freeze_message.message_id AND m.attempts = freeze_message.attempts AND m.letter IS NULL;
    RETURN FOUND;
END $$;

-- Note how an attempt ended: the message is `state` from now on, and due again after so many seconds if it is still
-- open. A receiver that asks for no more, or refuses for the third time in a row, turns its channel off. False if
-- another daemon has taken the message meanwhile: what is late changes nothing.
CREATE OR REPLACE FUNCTION pattern_sync.settle_message(
    message_id bigint, attempts integer, state text, status integer, error text, retry_seconds double precision,
    outcome text
)
RETURNS boolean LANGUAGE plpgsql AS $$
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

-- Send a message once more: one that is dead, or that waits for its next attempt. Its channel is on again. False if
-- there is no such message.
CREATE OR REPLACE FUNCTION pattern_sync.retry_message(message_id bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
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

-- Forget messages that ended over 30 days ago, and what was told of entries that are gone.
CREATE OR REPLACE FUNCTION pattern_sync.prune_messages()
RETURNS void LANGUAGE plpgsql
SET enable_nestloop = off SET plan_cache_mode = force_custom_plan AS $$
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
