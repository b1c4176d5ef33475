// sources: kernel_lib/life/snapshot_index.c
// sources: kernel_lib/io/format.c
/* The index of snapshots: written, read back, read with damage, numbered. */
#include "chance.h"
#include "check.h"
#include "kernel_lib/life/snapshot_index.h"
#include <string.h>

#define BUILD "00112233445566778899aabbccddeeff"
#define MAKER "ffeeddccbbaa99887766554433221100"
#define LINE(name, parent)                                                                         \
    "kernel=" name " kind=native build=" BUILD " maker=" MAKER " parent=" parent                   \
    " result=good bytes=172400 boots=3\n"

static struct snapshot_index index_;

static size_t parse(const char *text) {
    return snapshot_index_parse(&index_, text, strlen(text));
}

static void test_written_and_read_back(void) {
    const char *text =
        "# The kernels that this machine has written for itself, oldest first.\n" LINE(
            "0001.KRN", "BAREFLOW.KRN") LINE("0007.KRN", "0001.KRN");
    CHECK(parse(text) == 0 && index_.count == 2);
    struct snapshot *second = snapshot_index_find(&index_, "0007.KRN");
    CHECK(second == &index_.snapshot[1] && !snapshot_index_find(&index_, "0002.KRN"));
    CHECK(strcmp(second->kind, "native") == 0 && strcmp(second->build, BUILD) == 0);
    CHECK(strcmp(second->maker, MAKER) == 0 && strcmp(second->parent, "0001.KRN") == 0);
    CHECK(strcmp(second->result, "good") == 0 && second->bytes == 172400 && second->boots == 3);
    char *formatted = snapshot_index_format(&index_);
    CHECK(strcmp(formatted, text) == 0);
    free(formatted);
}

static void test_needs(void) {
    const char *text = "# The kernels that this machine has written for itself, oldest first.\n"
                       "kernel=0001.KRN kind=native build=" BUILD " maker=" MAKER
                       " parent=BAREFLOW.KRN result=new cpu=avx2,sse3 model=dim=64,layers=5"
                       " bytes=1 boots=0\n";
    CHECK(parse(text) == 0 && index_.count == 1);
    CHECK(strcmp(index_.snapshot[0].cpu, "avx2,sse3") == 0);
    CHECK(strcmp(index_.snapshot[0].model, "dim=64,layers=5") == 0);
    char *formatted = snapshot_index_format(&index_);
    CHECK(strcmp(formatted, text) == 0);
    free(formatted);
}

static void test_lines_that_are_left_out(void) {
    static const char *const bad[] = {
        "garbage\n",
        "kernel=0001.KRN\n", /* the others are missing */
        LINE("1.KRN", "BAREFLOW.KRN"),
        LINE("0000.KRN", "BAREFLOW.KRN"),
        LINE("00001.KRN", "BAREFLOW.KRN"),
        LINE("0001.KRNKRNKRN", "BAREFLOW.KRN"),
        LINE("0001.KRN", "0001.KRN"), /* its own parent */
        LINE("0001.KRN", ""),
        LINE("0001.KRN", "OTHER.KRN"), /* no kernel that writes snapshots */
        LINE("0001.KRN", "bareflow.krn"),
        LINE("0001.KRN", "A-NAME-THAT-IS-TOO-LONG.KRN"),
        LINE("0001.KRN", "BAREFLOW.KRN bytes=4294967296"),
        LINE("0001.KRN", "BAREFLOW.KRN boots=-1"),
        LINE("0001.KRN", "BAREFLOW.KRN boots="),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(parse(bad[i]) == 1 && index_.count == 0);
    CHECK(parse(LINE("0001.KRN", "BAREFLOW.KRN") LINE("0001.KRN", "BAREFLOW.KRN")) == 1);
    CHECK(index_.count == 1);
    CHECK(parse("") == 0 && parse("\n\r\n# a comment\n") == 0 && index_.count == 0);
    CHECK(parse("later=1 " LINE("0001.KRN", "BAREFLOW.KRN")) == 0 && index_.count == 1);
    const char *line = LINE("0001.KRN", "BAREFLOW.KRN");
    for (size_t size = 0; size < strlen(line) - 1; size++) /* cut short */
        snapshot_index_parse(&index_, line, size);
    CHECK(snapshot_index_parse(&index_, line, strlen(line) - 1) == 0 && index_.count == 1);
}

static void test_bytes_of_any_kind(void) {
    static char text[4096];
    uint32_t state = 1;
    for (int round = 0; round < 2000; round++) {
        static const char letters[] =
            "kernel=01.KRN \n\r#parentbuildmakerresultkindbytesboots\0\xff";
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = letters[(chance_next(&state) >> 16) % (sizeof letters - 1)];
        snapshot_index_parse(&index_, text, sizeof text);
        CHECK(index_.count <= SNAPSHOTS_MAX);
    }
}

static void test_numbers(void) {
    index_.count = 0;
    CHECK(snapshot_index_next(&index_) == 1);
    for (unsigned number = 1; number <= SNAPSHOTS_MAX; number++) {
        CHECK(snapshot_index_next(&index_) == number);
        struct snapshot *added = snapshot_index_add(&index_, number);
        char expected[SNAPSHOT_NAME];
        snprintf(expected, sizeof expected, "%04u.KRN", number);
        CHECK(strcmp(added->kernel, expected) == 0 && strcmp(added->result, "new") == 0);
    }
    snapshot_index_remove(&index_, &index_.snapshot[1]);
    CHECK(index_.count == SNAPSHOTS_MAX - 1);
    CHECK(strcmp(index_.snapshot[1].kernel, "0003.KRN") == 0);
    snapshot_index_remove(&index_, &index_.snapshot[index_.count - 1]);
    CHECK(snapshot_index_next(&index_) == SNAPSHOTS_MAX);
}

/* Adds one to the end. */
static void add(const char *kind, const char *parent, const char *result) {
    struct snapshot *added = snapshot_index_add(&index_, (unsigned)index_.count + 1);
    strcpy(added->kind, kind);
    strcpy(added->parent, parent);
    strcpy(added->result, result);
}

static void test_what_must_stay(void) {
    index_.count = 0;
    CHECK(snapshot_index_kept(&index_) == 0);
    add("trimmed", "BAREFLOW.KRN", "good"); /* bit 0 */
    add("native", "0001.KRN", "good");
    add("full", "BAREFLOW.KRN", "good"); /* 2: the first full one */
    add("full", "0003.KRN", "good");
    add("trimmed", "BAREFLOW.KRN", "good");
    add("trimmed", "0005.KRN", "missed");
    add("native", "0006.KRN", "good"); /* 6: the newest good one; 5 is no help to it, but 4 is */
    add("native", "0001.KRN", "new");
    add("native", "0001.KRN", "failed");
    CHECK(snapshot_index_kept(&index_) == (1 << 2 | 1 << 4 | 1 << 6));
    uint32_t kept = 0;
    snapshot_index_keep(&index_, "0006.KRN", &kept);
    CHECK(kept == (1 << 4 | 1 << 5)); /* it may be running */
    snapshot_index_keep(&index_, "BAREFLOW.KRN", &kept);
    CHECK(kept == (1 << 4 | 1 << 5));
    strcpy(index_.snapshot[0].parent, "0002.KRN"); /* a circle */
    kept = 0;
    snapshot_index_keep(&index_, "0001.KRN", &kept);
    CHECK(kept == 3);
}

int main(void) {
    test_written_and_read_back();
    test_needs();
    test_lines_that_are_left_out();
    test_bytes_of_any_kind();
    test_numbers();
    test_what_must_stay();
    puts("snapshot_index: passed");
}
