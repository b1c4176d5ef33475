// sources: tinyllama/chat/chat_file.c tinyllama/chat/chat.c tinyllama/chat/conversation.c
// sources: tinyllama/chat/template.c tinyllama/tokenizer.c tinyllama/tokenizer_encode.c
// sources: tinyllama/tokenizer_markup.c tinyllama/tokenizer_words.c tinyllama/kv_cache.c
// sources: tinyllama/kv_state.c kernel_lib/error.c kernel_lib/crc32.c
// sources: tinyllama/whole_file.c tests/host/memory_file.c tests/host/console.c
// sources: kernel_lib/io/format.c
/* Conversations in files: what was saved is there again, and nothing else is taken for it. */
#include "chat_tokenizer.h"
#include "kernel_lib/crc32.h"
#include "memory_file.h"
#include "tinyllama/chat/chat_file.h"
#include "tinyllama/kv_state.h"

/* ---- One file on a disk ---- */

static char disk[1 << 20], disk_path[40];
static size_t disk_size, disk_room = sizeof disk;

struct file *file_open(const char *path, struct error *error) {
    if (strcmp(path, disk_path) == 0)
        return memory_file(disk, disk_size);
    error_set(error, "%s: there is no such file", path);
    return NULL;
}

bool file_replace(const char *path, const void *bytes, size_t size, struct error *error) {
    if (size > disk_room)
        return error_set(error, "%s: the disk is full", path);
    strcpy(disk_path, path);
    memcpy(disk, bytes, size);
    disk_size = size;
    return true;
}

bool generate_tokens(const struct generator *generator, struct generation *generation,
                     const uint32_t *prompt, uint32_t positions, struct error *error) {
    (void)generator, (void)generation, (void)prompt, (void)positions, (void)error;
    return false;
}

/* ---- Tests ---- */

enum { POSITIONS = 5 };

static struct tokenizer t;
static struct model model = {.config = {.dim = 16,
                                        .layers = 2,
                                        .heads = 2,
                                        .kv_heads = 1,
                                        .vocabulary = FAMILY_PIECES,
                                        .context = 640}};
static struct inference inference = {.model = &model};
static struct generator generator = {&inference, NULL, &t, 0};
static struct settings settings = {.system = ""};
static struct chat chat;
static struct error error;
static bool with_cache;
static void *memory;

static void make_cache(enum kv_type type) {
    struct arena arena = {0};
    free(memory);
    kv_cache_init(&inference.cache, &model.config, type, 64, 16);
    kv_cache_take(&inference.cache, &arena);
    CHECK(arena_allocate(&arena, "the cache", &error));
    memory = arena.memory;
    kv_cache_take(&inference.cache, &arena);
}

/* Numbers of a position, the same whenever they are asked for. */
static void numbers(float *out, uint32_t layer, uint32_t position, float from) {
    for (int i = 0; i < 8; i++)
        out[i] = from + (float)(layer * 100 + position * 10) + (float)i;
}

static void fill_cache(float from) {
    for (uint32_t position = 0; position < POSITIONS; position++)
        for (uint32_t layer = 0; layer < 2; layer++) {
            float keys[8], values[8];
            numbers(keys, layer, position, from);
            numbers(values, layer, position, from + 0.5f);
            kv_cache_store(&inference.cache, layer, position, keys, values);
        }
}

static char *cache_bytes(size_t *size) {
    struct kv_state state = kv_state_of(&inference.cache);
    char *bytes = malloc((size_t)state.bytes);
    kv_state_save(&inference.cache, bytes);
    *size = (size_t)state.bytes;
    return bytes;
}

static void begin(void) {
    struct chat_template texts;
    CHECK(chat_template_named(&texts, "chatml", &error));
    CHECK(chat_init(&chat, &texts, &t, &generator, &settings, 7, &error));
}

static void make_conversation(void) {
    begin();
    CHECK(chat_set_system(&chat, "Be.", &error));
    CHECK(conversation_add(&chat.conversation, "Hi", &error));
    CHECK(conversation_answer(&chat.conversation, (uint32_t[]){BYTE('y'), END}, 2, &error));
    CHECK(conversation_add(&chat.conversation, "\xC3\xBC", &error));
    chat.conversation.first = 1;
    chat.cached_count = POSITIONS;
    chat.cached = malloc(POSITIONS * sizeof(uint32_t));
    for (uint32_t i = 0; i < POSITIONS; i++)
        chat.cached[i] = 10 + i;
    make_cache(KV_F32);
    fill_cache(1.0f);
}

static void check_conversation(void) {
    const struct conversation *c = &chat.conversation;
    CHECK(c->count == 2 && c->first == 1 && strcmp(c->system, "Be.") == 0);
    CHECK(strcmp(c->turns[0].user, "Hi") == 0 && strcmp(c->turns[1].user, "\xC3\xBC") == 0);
    CHECK(c->turns[0].answer_count == 2 && c->turns[1].answer_count == 0);
    CHECK(c->turns[0].answer[0] == BYTE('y') && c->turns[0].answer[1] == END);
}

static void test_round_trip(void) {
    make_conversation();
    CHECK(chat_save(&chat, "my-1_A", &with_cache, &error) && with_cache);
    CHECK(strcmp(disk_path, "/profile/my-1_A.CHT") == 0);
    size_t size, again;
    char *before = cache_bytes(&size);
    chat_free(&chat);
    begin();
    make_cache(KV_F32);
    fill_cache(-3.0f);
    CHECK(chat_load(&chat, "my-1_A", &with_cache, &error) && with_cache);
    check_conversation();
    CHECK(chat.cached_count == POSITIONS && chat.cached[4] == 14);
    char *after = cache_bytes(&again);
    CHECK(size == again && memcmp(before, after, size) == 0);
    free(before);
    free(after);
    chat_free(&chat);
}

/* A cache of another type: the conversation is there, and will be read again. */
static void test_other_cache(void) {
    begin();
    make_cache(KV_F16);
    CHECK(chat_load(&chat, "my-1_A", &with_cache, &error) && !with_cache);
    check_conversation();
    CHECK(chat.cached_count == 0);
    chat_free(&chat);
}

static void test_full_disk(void) {
    make_conversation();
    disk_room = 300;
    CHECK(chat_save(&chat, "b", &with_cache, &error) && !with_cache && disk_size <= 300);
    chat_free(&chat);
    begin();
    CHECK(chat_load(&chat, "b", &with_cache, &error) && !with_cache);
    check_conversation();
    disk_room = 20;
    CHECK(!chat_save(&chat, "c", &with_cache, &error));
    CHECK(strcmp(error.text, "/profile/c.CHT: the disk is full") == 0);
    disk_room = sizeof disk;
    chat_free(&chat);
}

/* Whatever is wrong with a file, the conversation of before stays. */
static void test_damage(void) {
    make_conversation();
    CHECK(chat_save(&chat, "d", &with_cache, &error));
    size_t whole = disk_size;
    for (disk_size = 0; disk_size < whole; disk_size++)
        CHECK(!chat_load(&chat, "d", &with_cache, &error));
    for (size_t at = 0; at < whole; at++) {
        disk[at] ^= 0x10;
        CHECK(!chat_load(&chat, "d", &with_cache, &error));
        disk[at] ^= 0x10;
    }
    CHECK(strcmp(error.text, "/profile/d.CHT is damaged: its checksum is wrong") == 0);
    /* Wrong numbers under a right checksum. */
    for (size_t at = 8; at < whole; at += 4) {
        uint32_t old, wrong = 0xFFFFFFF0u, crc;
        memcpy(&old, disk + at, sizeof old);
        memcpy(disk + at, &wrong, sizeof wrong);
        crc = crc32_update(0, disk + 8, whole - 8);
        memcpy(disk + 4, &crc, sizeof crc);
        if (chat_load(&chat, "d", &with_cache, &error))
            CHECK(chat.conversation.count == 2);
        memcpy(disk + at, &old, sizeof old);
    }
    uint32_t crc = crc32_update(0, disk + 8, whole - 8);
    memcpy(disk + 4, &crc, sizeof crc);
    CHECK(chat_load(&chat, "d", &with_cache, &error));
    check_conversation();
    chat.model = 8;
    CHECK(!chat_load(&chat, "d", &with_cache, &error));
    CHECK(strcmp(error.text, "/profile/d.CHT is a conversation with another model") == 0);
    check_conversation();
    CHECK(memory_files_open() == 0);
}

static void test_names(void) {
    static const char *const wrong[] = {"", "123456789", "a.b", "a b", "/a", "\xC3\xBC"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(!chat_save(&chat, wrong[i], &with_cache, &error));
        CHECK(strstr(error.text, "is no name: it has to have 1 to 8 letters or digits"));
        CHECK(!chat_load(&chat, wrong[i], &with_cache, &error));
    }
    CHECK(!chat_load(&chat, "none", &with_cache, &error));
    CHECK(strcmp(error.text, "/profile/none.CHT: there is no such file") == 0);
    chat_free(&chat);
}

int main(void) {
    chat_tokenizer(&t);
    test_round_trip();
    test_other_cache();
    test_full_disk();
    test_damage();
    test_names();
    free(memory);
    tokenizer_free(&t);
    puts("chat_file: passed");
    return 0;
}
