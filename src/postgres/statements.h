/* Every SQL statement that the store and `show` run. Those of the schema itself stand in schemas/postgres, those that apply it
 * in schema.c. */
#ifndef BOOKING_POSTGRES_STATEMENTS_H
#define BOOKING_POSTGRES_STATEMENTS_H

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    /* take */
    STATEMENT_PATIENCE,
    STATEMENT_ADD_LANES,
    STATEMENT_LOCK_LANES,
    STATEMENT_RAISE_EPOCHS,
    STATEMENT_READ_LANES,
    STATEMENT_READ_SYSTEM,
    STATEMENT_READ_DUES,
    STATEMENT_EVICT,
    STATEMENT_HALT,
    /* load */
    STATEMENT_LOAD,
    STATEMENT_READ_OUTBOX,
    /* write */
    STATEMENT_ADVANCE_LANES,
    STATEMENT_PLACE_ORDERS,
    STATEMENT_CHANGE_ORDERS,
    STATEMENT_REFUSE_PLACEMENTS,
    STATEMENT_ADD_HISTORY,
    STATEMENT_ADD_OUTBOX,
    /* show */
    STATEMENT_SHOW_ORDER,
    STATEMENT_SHOW_HISTORY,
    STATEMENT_SHOW_OUTBOX,
    STATEMENT_COUNT,
    STATEMENT_TEXT = STATEMENT_COUNT /* not one of these */
};

/* The name it is prepared under, which is also what messages call it. */
const char *statement_name(enum statement statement);
const char *statement_sql(enum statement statement);

#endif
