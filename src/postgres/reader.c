/* Opens a connection for a command, and says what it means when that fails. */
#include "postgres/reader.h"

#include "postgres/trouble.h"
#include "postgres/version.h"

#include <string.h>

enum status reader_failed(const struct trouble *trouble, struct failure *why)
{
    char text[460];
    trouble_describe(trouble, NULL, text, sizeof text);
    if (strcmp(trouble->sqlstate, "57014") == 0)
        return failure_set(why, STATUS_RETRY, "it took longer than postgres.statement_timeout allows: %s", text);
    return failure_set(why, trouble_status(trouble, false), "%s", text);
}

enum status reader_open(struct link *link, const struct config *config, const char *application, struct failure *why)
{
    struct trouble trouble;
    struct schema_report report;
    *link = (struct link){.stop_fd = NO_FD, .hurry_fd = NO_FD};
    if (!link_open(link, config, application, &trouble))
        return failure_set(why, STATUS_RETRY, "Postgres cannot be reached: %.400s", trouble.message);
    enum status status = version_read(link, &report, &trouble, why);
    if (status == STATUS_OK && report.state != SCHEMA_CURRENT)
        status = failure_set(why, STATUS_FATAL, "%s", report.summary);
    if (status != STATUS_OK)
        link_close(link);
    return status;
}
