/* Makes and drops databases for tests. */
#include "database.h"

#include "booking/check.h"
#include "booking/schema.h"
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD "test"

bool database_is_available(void)
{
    const char *conninfo = getenv("BOOKING_TEST_POSTGRES");
    if (conninfo != NULL && conninfo[0] != '\0')
        return true;
    fprintf(stderr,
            "SKIPPED: set BOOKING_TEST_POSTGRES to the conninfo of a Postgres administrator to run this test\n");
    return false;
}

/* The administrator's conninfo with another database and, unless NULL, another user. */
static void conninfo_with(const char *dbname, const char *user, char out[CONFIG_TEXT])
{
    PQconninfoOption *options = PQconninfoParse(getenv("BOOKING_TEST_POSTGRES"), NULL);
    assert_non_null(options);
    int length = snprintf(out, CONFIG_TEXT, "dbname=%s", dbname);
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        const bool is_login = strcmp(option->keyword, "user") == 0 || strcmp(option->keyword, "password") == 0;
        if (option->val == NULL || strcmp(option->keyword, "dbname") == 0 || (is_login && user != NULL))
            continue;
        length += snprintf(out + length, (size_t)(CONFIG_TEXT - length), " %s='%s'", option->keyword, option->val);
        assert_true(length < CONFIG_TEXT);
    }
    if (user != NULL)
        snprintf(out + length, (size_t)(CONFIG_TEXT - length), " user=%s", user);
    PQconninfoFree(options);
}

static PGconn *connect_to(const char *conninfo)
{
    PGconn *connection = PQconnectdb(conninfo);
    if (PQstatus(connection) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(connection));
    return connection;
}

/* What cannot be done from within the database itself. */
static void on_server(const char *before, const char *name, const char *after)
{
    char sql[768];
    snprintf(sql, sizeof sql, "%s %s %s", before, name, after);
    PGconn *server = connect_to(getenv("BOOKING_TEST_POSTGRES"));
    PGresult *result = PQexec(server, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(server));
    PQclear(result);
    PQfinish(server);
}

void database_make(struct database *database)
{
    static int count;
    *database = (struct database){0};
    snprintf(database->name, sizeof database->name, "booking_test_%d_%d", (int)getpid(), ++count);
    on_server("CREATE DATABASE", database->name, "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
    conninfo_with(database->name, NULL, database->conninfo);
    database->admin = connect_to(database->conninfo);
    database->owner.postgres_statement_timeout_ms = 10000;
    memcpy(database->owner.postgres_conninfo, database->conninfo, sizeof database->conninfo);
}

void database_add_login(struct database *database, const char *attributes, const char *suffix, struct config *out)
{
    char user[96];
    snprintf(user, sizeof user, "%s_%s", database->name, suffix);
    database_sql(database, "CREATE ROLE %s LOGIN PASSWORD '" PASSWORD "' %s", user, attributes);
    *out = (struct config){.postgres_statement_timeout_ms = 10000, .postgres_password = PASSWORD};
    conninfo_with(database->name, user, out->postgres_conninfo);
}

void database_make_migrated(struct database *database)
{
    struct schema_report report;
    struct failure why;
    database_make(database);
    if (schema_migrate(&database->owner, false, &report, &why) != STATUS_OK)
        fail_msg("%s", why.message);
    database_add_login(database, "IN ROLE booking_worker", "worker", &database->worker);
}

void database_drop(struct database *database)
{
    char logins[512] = "";
    database_sql(database, "RESET ROLE");
    snprintf(logins, sizeof logins, "%s",
             database_sql(database, "SELECT string_agg(rolname, ', ') FROM pg_roles WHERE rolname LIKE '%s\\_%%'",
                          database->name));
    if (logins[0] != '\0')
        database_sql(database, "DROP OWNED BY %s", logins);
    PQfinish(database->admin);
    on_server("DROP DATABASE", database->name, "WITH (FORCE)");
    if (logins[0] != '\0')
        on_server("DROP ROLE", logins, "");
}

const char *database_sql(struct database *database, const char *format, ...)
{
    static char value[8192];
    char sql[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    PGresult *result = PQexec(database->admin, sql);
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(database->admin));
    snprintf(value, sizeof value, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return value;
}
