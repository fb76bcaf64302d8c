-- Partitions of order_history (months) and outbox (weeks from Monday on), both in UTC. `booking-worker migrate` makes them for
-- a long time ahead. A row for which there is none goes to the default partition, so nothing ever fails for want of one; a
-- later booking.make_partitions() moves such rows to where they belong. Dropping is an operator's act.
SET LOCAL ROLE booking_owner;

CREATE FUNCTION booking.make_partition(parent text, from_at timestamptz, until_at timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    child text := parent || '_' || to_char(from_at AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
    IF to_regclass('booking.' || quote_ident(child)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE booking.%I (LIKE booking.%I INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION)',
                   child, parent);
    EXECUTE format('WITH moved AS (DELETE FROM booking.%I WHERE recorded_at >= %L AND recorded_at < %L RETURNING *) '
                   'INSERT INTO booking.%I SELECT * FROM moved', parent || '_default', from_at, until_at, child);
    EXECUTE format('ALTER TABLE booking.%I ATTACH PARTITION booking.%I FOR VALUES FROM (%L) TO (%L)',
                   parent, child, from_at, until_at);
    IF parent = 'outbox' THEN
        EXECUTE format('CREATE UNIQUE INDEX %I ON booking.%I (lane, seq)', child || '_lane_seq', child);
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION booking.make_partition(text, timestamptz, timestamptz) IS
    'Makes one partition unless it is there, and moves what the default partition holds of its time into it. Used by make_partitions.';

CREATE FUNCTION booking.make_partitions(history_months integer DEFAULT 24, outbox_weeks integer DEFAULT 53) RETURNS integer
LANGUAGE plpgsql SET client_min_messages = warning AS $$
DECLARE
    this_month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    this_week  timestamp := date_trunc('week', now() AT TIME ZONE 'UTC');
    made       integer := 0;
BEGIN
    FOR n IN 0 .. history_months LOOP
        made := made + booking.make_partition('order_history', (this_month + make_interval(months => n)) AT TIME ZONE 'UTC',
                                              (this_month + make_interval(months => n + 1)) AT TIME ZONE 'UTC')::integer;
    END LOOP;
    FOR n IN 0 .. outbox_weeks LOOP
        made := made + booking.make_partition('outbox', (this_week + make_interval(weeks => n)) AT TIME ZONE 'UTC',
                                              (this_week + make_interval(weeks => n + 1)) AT TIME ZONE 'UTC')::integer;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION booking.make_partitions(integer, integer) IS
    'Makes the partitions from now to so many months (history) and weeks (outbox) ahead; returns how many were new. Run by `booking-worker migrate`.';

-- Where a partition's time ends; null for the default partition.
CREATE FUNCTION booking.partition_end(partition regclass) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT substring(pg_get_expr(relpartbound, oid) FROM 'TO \(''([^'']+)''\)')::timestamptz FROM pg_class WHERE oid = partition
$$;
COMMENT ON FUNCTION booking.partition_end(regclass) IS 'The instant at which a partition ends; null for the default partition.';

CREATE FUNCTION booking.drop_partitions(parent text, before timestamptz) RETURNS SETOF text
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    child   regclass;
    name    text;
    waiting bigint;
BEGIN
    IF parent NOT IN ('order_history', 'outbox') THEN
        RAISE EXCEPTION 'only order_history and outbox have partitions, not %', parent;
    END IF;
    IF parent = 'outbox' AND before > now() - interval '24 hours' THEN
        RAISE EXCEPTION 'the outbox is kept for 24 hours at least: % is too late', before;
    END IF;
    FOR child IN
        SELECT inhrelid::regclass FROM pg_inherits
         WHERE inhparent = ('booking.' || quote_ident(parent))::regclass AND booking.partition_end(inhrelid) <= before
         ORDER BY booking.partition_end(inhrelid)
    LOOP
        name := child::text; -- while it has one
        IF parent = 'outbox' THEN
            EXECUTE format('SELECT count(*) FROM %s b LEFT JOIN booking.lanes l USING (lane) WHERE b.seq > coalesce(l.w_seen, 0)',
                           name) INTO waiting;
            IF waiting > 0 THEN
                RAISE EXCEPTION '% holds % batches that are not known to be emitted', name, waiting;
            END IF;
        END IF;
        EXECUTE format('DROP TABLE %s', name);
        RETURN NEXT name;
    END LOOP;
END
$$;
COMMENT ON FUNCTION booking.drop_partitions(text, timestamptz) IS
    'For operators, as booking_owner: SELECT booking.drop_partitions(''outbox'', now() - interval ''8 days''). Drops the partitions of outbox or order_history that end at or before that instant. '
    'Refuses outbox batches that are younger than 24 hours or not known to be emitted. What is dropped of order_history is gone for `show`, and its event ids are no longer recognised as repetitions.';

-- An operator's functions, not the worker's.
REVOKE EXECUTE ON FUNCTION booking.make_partition(text, timestamptz, timestamptz), booking.make_partitions(integer, integer),
    booking.drop_partitions(text, timestamptz) FROM PUBLIC;

CREATE TABLE booking.order_history_default PARTITION OF booking.order_history DEFAULT;
COMMENT ON TABLE booking.order_history_default IS 'History of a time for which no partition was made. Should be empty: run `booking-worker migrate`.';
CREATE TABLE booking.outbox_default PARTITION OF booking.outbox DEFAULT;
COMMENT ON TABLE booking.outbox_default IS 'Outbox batches of a time for which no partition was made. Should be empty: run `booking-worker migrate`.';
CREATE UNIQUE INDEX outbox_default_lane_seq ON booking.outbox_default (lane, seq);
