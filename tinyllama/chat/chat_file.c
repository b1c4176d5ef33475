/* Conversations in files. */
#include "chat_file.h"
#include "kernel_lib/crc32.h"
#include "tinyllama/kv_state.h"
#include "tinyllama/whole_file.h"

#define MAGIC 0x31434642u /* "BFC1" */
#define PATH_SIZE sizeof "/profile/12345678.CHT"

/* Then come the system text, each turn (struct turn_header, text, answer), the tokens that the KV
 * cache has, and its bytes. */
struct header {
    uint32_t magic;
    uint32_t crc;   /* of all that follows this member */
    uint32_t model; /* chat->model */
    uint32_t vocabulary;
    uint32_t first, count; /* as in struct conversation */
    uint32_t system_bytes, cached;
    struct kv_state cache;
};

struct turn_header {
    uint32_t user_bytes, answer_count;
};

static bool make_path(char path[PATH_SIZE], const char *name, struct error *error) {
    size_t length = strlen(name);
    bool good = length > 0 && length <= CHAT_NAME_LENGTH;
    for (size_t i = 0; i < length; i++) {
        char lower = name[i] | 0x20;
        good = good && ((lower >= 'a' && lower <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
                        name[i] == '-' || name[i] == '_');
    }
    if (!good)
        return error_set(error, "\"%.20s\" is no name: it has to have 1 to %d letters or digits",
                         name, CHAT_NAME_LENGTH);
    snprintf(path, PATH_SIZE, "/profile/%s.CHT", name);
    return true;
}

/* ---- Writing ---- */

static void put(char **at, const void *bytes, size_t size) {
    if (size)
        memcpy(*at, bytes, size);
    *at += size;
}

/* The size of the file without the KV cache's tokens and bytes. */
static size_t texts_size(const struct conversation *c) {
    size_t size = sizeof(struct header) + (c->system ? strlen(c->system) : 0);
    for (uint32_t i = 0; i < c->count; i++)
        size += sizeof(struct turn_header) + strlen(c->turns[i].user) +
                c->turns[i].answer_count * sizeof(uint32_t);
    return size;
}

/* The file, with or without the KV cache; NULL: no memory. */
static char *encode(const struct chat *chat, bool with_cache, size_t *size) {
    const struct conversation *c = &chat->conversation;
    const struct inference *in = chat->generator->inference;
    struct header header = {
        .magic = MAGIC,
        .model = chat->model,
        .vocabulary = in->model->config.vocabulary,
        .first = c->first,
        .count = c->count,
        .system_bytes = c->system ? (uint32_t)strlen(c->system) : 0,
        .cached = with_cache ? chat->cached_count : 0,
    };
    if (with_cache)
        header.cache = kv_state_of(&in->cache);
    *size = texts_size(c) + header.cached * sizeof(uint32_t) + (size_t)header.cache.bytes;
    char *bytes = malloc(*size), *at = bytes;
    if (!bytes)
        return NULL;
    put(&at, &header, sizeof header);
    put(&at, c->system, header.system_bytes);
    for (uint32_t i = 0; i < c->count; i++) {
        const struct turn *turn = &c->turns[i];
        struct turn_header about = {(uint32_t)strlen(turn->user), turn->answer_count};
        put(&at, &about, sizeof about);
        put(&at, turn->user, about.user_bytes);
        put(&at, turn->answer, about.answer_count * sizeof(uint32_t));
    }
    put(&at, chat->cached, header.cached * sizeof(uint32_t));
    if (with_cache)
        kv_state_save(&in->cache, at);
    size_t begin = offsetof(struct header, model);
    header.crc = crc32_update(0, bytes + begin, *size - begin);
    memcpy(bytes, &header, sizeof header);
    return bytes;
}

static bool write_file(const struct chat *chat, const char *path, bool with_cache,
                       struct error *error) {
    size_t size;
    char *bytes = encode(chat, with_cache, &size);
    bool good = bytes ? file_replace(path, bytes, size, error)
                      : error_set(error, "no memory to save the conversation");
    free(bytes);
    return good;
}

bool chat_save(const struct chat *chat, const char *name, bool *with_cache, struct error *error) {
    char path[PATH_SIZE];
    if (!make_path(path, name, error))
        return false;
    *with_cache = chat->cached_count > 0 && write_file(chat, path, true, error);
    return *with_cache || write_file(chat, path, false, error);
}

/* ---- Reading ---- */

/* A file in memory, read from front to back. */
struct reader {
    const char *at, *end;
};

/* The next count elements of size bytes; NULL if there are not so many. */
static const char *take(struct reader *r, size_t count, size_t size) {
    const char *bytes = r->at;
    if (count > (size_t)(r->end - r->at) / size)
        return NULL;
    r->at += count * size;
    return bytes;
}

static bool take_turn(struct reader *r, struct conversation *c, uint32_t vocabulary,
                      struct error *error) {
    struct turn_header about;
    const char *header = take(r, 1, sizeof about), *user, *answer;
    if (!header)
        return false;
    memcpy(&about, header, sizeof about);
    if (!(user = take(r, about.user_bytes, 1)) ||
        !(answer = take(r, about.answer_count, sizeof(uint32_t))))
        return false;
    char *text = malloc((size_t)about.user_bytes + 1);
    uint32_t *tokens = malloc((size_t)about.answer_count * sizeof *tokens + 1);
    bool good = text && tokens;
    if (good) {
        memcpy(text, user, about.user_bytes);
        text[about.user_bytes] = '\0';
        memcpy(tokens, answer, about.answer_count * sizeof *tokens);
        for (uint32_t i = 0; i < about.answer_count; i++)
            good = good && tokens[i] < vocabulary;
        good = good && conversation_add(c, text, error) &&
               conversation_answer(c, tokens, about.answer_count, error);
    }
    free(text);
    free(tokens);
    return good;
}

/* The conversation of a file whose checksum is right. */
static bool take_conversation(struct reader *r, const struct header *header, struct conversation *c,
                              struct error *error) {
    const char *system = take(r, header->system_bytes, 1);
    if (!system || header->first > header->count)
        return false;
    if (header->system_bytes) {
        c->system = malloc((size_t)header->system_bytes + 1);
        if (!c->system)
            return false;
        memcpy(c->system, system, header->system_bytes);
        c->system[header->system_bytes] = '\0';
    }
    for (uint32_t i = 0; i < header->count; i++)
        if (!take_turn(r, c, header->vocabulary, error))
            return false;
    c->first = header->first;
    return true;
}

/* Takes what the KV cache had, if it fits; whether it did. */
static bool take_cache(struct chat *chat, struct reader *r, const struct header *header) {
    const char *tokens = take(r, header->cached, sizeof(uint32_t));
    if (!tokens || header->cached == 0 || header->cached > header->cache.positions ||
        header->cache.bytes != (uint64_t)(r->end - r->at))
        return false;
    uint32_t *cached = malloc(header->cached * sizeof *cached);
    if (!cached)
        return false;
    if (!kv_state_load(&chat->generator->inference->cache, &header->cache, r->at)) {
        free(cached);
        return false;
    }
    memcpy(cached, tokens, header->cached * sizeof *cached);
    free(chat->cached);
    chat->cached = cached;
    chat->cached_count = header->cached;
    return true;
}

static bool decode(struct chat *chat, const char *path, const char *bytes, size_t size,
                   bool *with_cache, struct error *error) {
    struct header header;
    size_t begin = offsetof(struct header, model);
    if (size >= sizeof header)
        memcpy(&header, bytes, sizeof header);
    if (size < sizeof header || header.magic != MAGIC)
        return error_set(error, "%s is no conversation", path);
    if (crc32_update(0, bytes + begin, size - begin) != header.crc)
        return error_set(error, "%s is damaged: its checksum is wrong", path);
    if (header.model != chat->model ||
        header.vocabulary != chat->generator->inference->model->config.vocabulary)
        return error_set(error, "%s is a conversation with another model", path);
    struct reader r = {bytes + sizeof header, bytes + size};
    struct conversation read = {0};
    if (!take_conversation(&r, &header, &read, error)) {
        conversation_free(&read);
        return error_set(error, "%s is damaged, or there is no memory for it", path);
    }
    conversation_free(&chat->conversation);
    chat->conversation = read;
    *with_cache = take_cache(chat, &r, &header);
    return true;
}

bool chat_load(struct chat *chat, const char *name, bool *with_cache, struct error *error) {
    char path[PATH_SIZE];
    size_t size;
    char *bytes = make_path(path, name, error) ? whole_file(path, &size, error) : NULL;
    bool good = bytes && decode(chat, path, bytes, size, with_cache, error);
    free(bytes);
    return good;
}
