-- Which batches the outbox did not have when an operator decided to go on without them, so that `booking-worker audit` can tell them
-- from what goes missing later.
SET LOCAL ROLE booking_owner;

-- Neighbours are one range.
CREATE FUNCTION booking.missing_batches(of_lane integer, first bigint, last bigint) RETURNS int8range[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(int8range(low, high, '[]') ORDER BY low), '{}')
      FROM (SELECT min(s) AS low, max(s) AS high
              FROM (SELECT s, s - row_number() OVER (ORDER BY s) AS island
                      FROM generate_series(first, last) s
                     WHERE NOT EXISTS (SELECT FROM booking.outbox o WHERE o.lane = of_lane AND o.seq = s)) gone
             GROUP BY island) islands
$$;
COMMENT ON FUNCTION booking.missing_batches IS 'The batches of a lane, from `first` to `last`, that the outbox does not have.';

-- What the verbs accept: outputs that are gone and count as emitted, and numbers of batches that Postgres forgot.
CREATE FUNCTION booking.accepted_as_missing(verbs text, before jsonb, after jsonb) RETURNS int8range[] LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN '--accept-emitted' = ANY (string_to_array(verbs, ' '))
                THEN booking.missing_batches((before ->> 'lane')::integer, (before ->> 'w_seen')::bigint + 1,
                                             least((after ->> 'w_seen')::bigint, (before ->> 'seq')::bigint))
                ELSE '{}' END
           || CASE WHEN (after ->> 'seq')::bigint > (before ->> 'seq')::bigint
                   THEN ARRAY[int8range((before ->> 'seq')::bigint, (after ->> 'seq')::bigint, '(]')]
                   ELSE '{}' END
$$;
COMMENT ON FUNCTION booking.accepted_as_missing IS 'The batches that a decision explains when they are missing. The two rows are those of booking.lane_decisions.';
REVOKE EXECUTE ON FUNCTION booking.missing_batches(integer, bigint, bigint), booking.accepted_as_missing(text, jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION booking.missing_batches(integer, bigint, bigint), booking.accepted_as_missing(text, jsonb, jsonb)
    TO booking_worker;

ALTER TABLE booking.lane_decisions ADD COLUMN missing int8range[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN booking.lane_decisions.missing IS 'Batches that the outbox did not have then, and need not have: the audit tells them as explained by this decision.';

-- Of decisions from before, what is missing now stands for what was missing then.
UPDATE booking.lane_decisions SET missing = booking.accepted_as_missing(verbs, row_before, row_after);
