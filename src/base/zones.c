/* Time zones by name, from the system's tzdata: each file is read once and kept. */
#include "booking/check.h"
#include "booking/log.h"
#include "booking/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONEINFO       "/usr/share/zoneinfo"
#define TZIF_BYTES_MAX 65536 /* the largest file of tzdata has under 4 KB */
#define BUCKETS        256

struct known_zone {
    struct known_zone *next;
    struct zone zone;
};

/* Only names of files that exist get in, so it is bounded by the size of tzdata. */
static struct known_zone *buckets[BUCKETS];

static bool is_zone_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
           c == '-';
}

/* Names of the tz database only: parts of letters, digits, "_+-" between single slashes. No dot, so neither "." nor ".."
 * nor a file with an extension. What the directory has besides (the machine's own zone, the variants with leap seconds)
 * would not mean the same everywhere. */
static bool name_is_safe(struct text name)
{
    static const char *const not_names[] = {"localtime", "posixrules", "leapseconds"};
    if (name.data == NULL || name.length == 0 || name.length >= ZONE_NAME_SIZE)
        return false;
    bool part_is_empty = true;
    for (size_t i = 0; i < name.length; i++) {
        bool is_slash = name.data[i] == '/';
        if (is_slash ? part_is_empty : !is_zone_character(name.data[i]))
            return false;
        part_is_empty = is_slash;
    }
    if (part_is_empty)
        return false;
    for (size_t i = 0; i < sizeof not_names / sizeof *not_names; i++) {
        if (text_equal(name, text_of(not_names[i])))
            return false;
    }
    return !(name.length > 6 && (memcmp(name.data, "posix/", 6) == 0 || memcmp(name.data, "right/", 6) == 0));
}

/* Bytes read, or -1 when there is no such file. Any other trouble (no file handles left, a broken disk) stops the process:
 * to call a zone unknown that exists would refuse an order for good. */
static ssize_t file_read(const char *path, uint8_t *bytes, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG))
        return -1;
    if (file < 0)
        LOG(ERROR, "a time zone cannot be read", LOG_T("path", path), LOG_T("error", strerror(errno)));
    CHECK(file >= 0);
    struct stat status;
    CHECK(fstat(file, &status) == 0);
    ssize_t length = -1;
    if (S_ISREG(status.st_mode) && status.st_size > 0 && (size_t)status.st_size <= size) {
        length = read(file, bytes, size);
        CHECK(length >= 0);
    }
    close(file);
    return length;
}

static size_t bucket_of(const char *name)
{
    size_t hash = 5381;
    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash % BUCKETS;
}

const struct zone *zones_find(struct text name)
{
    char key[ZONE_NAME_SIZE];
    if (!name_is_safe(name) || !text_copy(name, key, sizeof key))
        return NULL;
    struct known_zone **bucket = &buckets[bucket_of(key)];
    for (struct known_zone *known = *bucket; known != NULL; known = known->next) {
        if (strcmp(known->zone.name, key) == 0)
            return &known->zone;
    }

    const char *folder = getenv("TZDIR");
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder != NULL && folder[0] != '\0' ? folder : ZONEINFO, key);
    if (length < 0 || (size_t)length >= sizeof path)
        return NULL;
    static uint8_t bytes[TZIF_BYTES_MAX];
    ssize_t size = file_read(path, bytes, sizeof bytes);
    if (size < 0)
        return NULL;
    struct known_zone *known = malloc(sizeof *known);
    CHECK(known != NULL);
    if (!zone_parse((struct bytes){bytes, (size_t)size}, key, &known->zone)) {
        free(known);
        return NULL;
    }
    known->next = *bucket;
    *bucket = known;
    return &known->zone;
}
