#include "kernel_lib/jit/store/run_mark.h"
#include "kernel_lib/generations.h"
#include "kernel_lib/jit_runtime.h"

#define PATH "/profile/JIT.RUN"
#define LINE_SIZE 32
#define MOST_WITHOUT_END 3 /* a person may have switched off in the middle of a story */

static char on_disk[LINE_SIZE] = "good\n"; /* what a file that is missing says */
static unsigned without_end;               /* boots in a row */
static enum { NOT_USED, NO_RESULT, HAS_RESULT } use;
static enum jit_progress last_progress = JIT_HAS_RESULT;
static bool had_result = true;
static bool is_told; /* of progress */

static bool write(const char *line, struct error *error) {
    if (strcmp(line, on_disk) == 0)
        return true;
    if (!generation_write(PATH, line, strlen(line), error))
        return false;
    strcpy(on_disk, line);
    return true;
}

static void write_if_possible(const char *line) {
    struct error ignored;
    write(line, &ignored);
}

/* A file that says nothing else that is known is good: the others have checksums of their own. */
bool run_mark_read(struct error *why) {
    size_t size;
    uint8_t *bytes = generation_read(PATH, LINE_SIZE - 1, &size, why);
    if (bytes) {
        memcpy(on_disk, bytes, size);
        on_disk[size] = '\0';
    }
    free(bytes);
    without_end = 0;
    if (strcmp(on_disk, "begun\n") == 0)
        return error_set(why, "the boot that used it last did not come to its first token");
    if (strncmp(on_disk, "worked ", 7) == 0)
        without_end = (unsigned)strtoul(on_disk + 7, NULL, 10);
    return without_end < MOST_WITHOUT_END ||
           error_set(why, "of %u boots in a row that used it none came to its end", without_end);
}

bool run_mark_begin(struct error *error) {
    use = NO_RESULT;
    return write("begun\n", error);
}

static void write_count(void) {
    char line[LINE_SIZE];
    snprintf(line, sizeof line, "worked %u\n", without_end);
    write_if_possible(without_end > 0 ? line : "good\n");
}

enum jit_progress jit_last_progress(void) {
    return last_progress;
}

bool jit_has_had_result(void) {
    return had_result;
}

bool jit_notes_progress(void) {
    return is_told;
}

void jit_note_progress(enum jit_progress progress) {
    had_result = (is_told && had_result) || progress == JIT_HAS_RESULT;
    is_told = true;
    last_progress = progress;
    if (use != NO_RESULT)
        return;
    if (progress == JIT_GOES_ON) {
        write_if_possible("begun\n");
        return;
    }
    if (progress == JIT_HAS_RESULT) {
        use = HAS_RESULT;
        without_end++;
    }
    write_count();
}

void run_mark_end(void) {
    write_if_possible("good\n");
}
