/* Runs a target over files: the corpus, or one finding. Without libFuzzer, so that every build checks what was once found. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CPU_MOST_MS 2000 /* of one input, whatever else the machine does */

static int replayed;

static int64_t cpu_ms(void)
{
    struct timespec time;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 66;
    }
    /* Exactly as long as the file, so that a sanitizer sees a byte too far. */
    size_t size = (size_t)status.st_size;
    uint8_t *bytes = malloc(size == 0 ? 1 : size);
    CHECK(bytes != NULL && fread(bytes, 1, size, file) == size);
    fclose(file);
    fprintf(stderr, "%s (%zu bytes)\n", path, size); /* the last one that is named is the one that broke it */
    int64_t before_ms = cpu_ms();
    (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    if (cpu_ms() - before_ms > CPU_MOST_MS) {
        fprintf(stderr, "it took more than %d ms of a processor\n", CPU_MOST_MS);
        return 1;
    }
    replayed++;
    return 0;
}

static int replay_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort), status = 0;
    if (count < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 66;
    }
    for (int i = 0; i < count; i++) {
        char child[4096];
        int length = snprintf(child, sizeof child, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && length > 0 && (size_t)length < sizeof child && status == 0)
            status = replay_file(child);
        free(entries[i]);
    }
    free(entries);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "Usage: %s FILE|FOLDER...\nRuns the fuzz target once with the bytes of each file.\n", argv[0]);
        return 64;
    }
    int status = 0;
    for (int i = 1; i < argc && status == 0; i++) {
        struct stat what;
        bool is_folder = stat(argv[i], &what) == 0 && S_ISDIR(what.st_mode);
        status = is_folder ? replay_folder(argv[i]) : replay_file(argv[i]);
    }
    if (status == 0 && replayed == 0) {
        fprintf(stderr, "there is no file to run\n");
        return 66;
    }
    if (status == 0 && replayed > 1 && fuzz_taken == 0) {
        fprintf(stderr, "not one of them is taken any more: see seeds.c\n");
        status = 1;
    }
    printf("%d inputs, %u taken\n", replayed, fuzz_taken);
    return status;
}
