/* Runs a target over files: the corpus, or one finding. Without libFuzzer, so that every build checks what was once found. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int replayed;

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
    (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
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
    printf("%d inputs\n", replayed);
    return status;
}
