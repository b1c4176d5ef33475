/* Tokenizers in GGUF files. */
#include "gguf_tokenizer.h"
#include "gguf_cursor.h"
#include "tinyllama/tokenizer_internal.h"
#include "tinyllama/tokenizer_words.h"

#define KEY(name) "tokenizer.ggml." name
#define MAX_PIECE_BYTES (1u << 20)
#define MAX_MERGES (1u << 22)
#define MAX_MERGE_BYTES 1024u
#define MAX_TEMPLATE_BYTES (1u << 20)

/* Kinds of tokens in the file. */
enum { UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5, BYTE = 6 };

/* Control tokens that end a turn by their names; GGUF has keys for some of them only. */
static const char *const ends[] = {
    "<|eot_id|>",    "<|eom_id|>",    "<|im_end|>",      "<|end|>",
    "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>", "</s>",
};

struct source {
    const struct gguf *gguf;
    struct tokenizer *tokenizer;
    struct cursor cursor;
    char *at; /* where the next piece's bytes go */
    bool by_scores;
};

static bool no_memory(const struct source *s) {
    return gguf_error(s->gguf, "no memory for the tokenizer; give the machine more");
}

/* False, for what an earlier check has ruled out, or with the disk's message. */
static bool not_read(const struct source *s) {
    return s->gguf->error->text[0] ? false : gguf_error(s->gguf, "damaged: its tokenizer ends");
}

/* Begins to read an array's elements; the array's last byte is before the file's end. */
static bool begin_array(struct source *s, const struct gguf_entry *entry) {
    return cursor_begin(&s->cursor, s->gguf->file, entry->offset, file_size(s->gguf->file),
                        s->gguf->error);
}

/* ---- Pieces ---- */

/* Replaces U+2581, which SentencePiece writes for a space. Returns the new length. */
static uint32_t with_spaces(char *bytes, uint32_t length) {
    uint32_t out = 0;
    for (uint32_t i = 0; i < length; out++) {
        bool mark = length - i >= 3 && memcmp(bytes + i, "\xE2\x96\x81", 3) == 0;
        bytes[out] = mark ? ' ' : bytes[i];
        i += mark ? 3 : 1;
    }
    return out;
}

/* The byte that a character stands for in GPT-2's vocabularies, or -1: printable characters of
 * Latin-1 for themselves, those from U+0100 on for the other bytes, in order. */
static int byte_of_character(uint32_t c) {
    if (c < 0x100)
        return (int)c;
    c -= 0x100;
    return c < 33 ? (int)c : c < 67 ? (int)c - 33 + 127 : c == 67 ? 173 : -1;
}

/* Replaces the characters by their bytes. What has another character in it stays. Returns the new
 * length. */
static uint32_t with_bytes(char *bytes, uint32_t length) {
    uint32_t out = 0;
    for (int pass = 0; pass < 2; pass++) {
        out = 0;
        for (uint32_t i = 0; i < length; out++) {
            unsigned char first = (unsigned char)bytes[i];
            bool two = first >= 0xC2 && first < 0xE0 && i + 1 < length;
            uint32_t c = two ? (first & 0x1Fu) << 6 | (bytes[i + 1] & 0x3F) : first;
            int byte = first < 0x80 || two ? byte_of_character(c) : -1;
            if (byte < 0)
                return length;
            if (pass == 1)
                bytes[out] = (char)byte;
            i += two ? 2 : 1;
        }
    }
    return out;
}

static bool ends_turn(const char *bytes, uint32_t length) {
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strlen(ends[i]) == length && memcmp(ends[i], bytes, length) == 0)
            return true;
    return false;
}

static void set_kind(const struct source *s, struct piece *piece, int32_t kind) {
    bool is_plain = kind != CONTROL && kind != UNKNOWN && kind != USER_DEFINED;
    char *bytes = s->at;
    uint32_t length = piece->length;
    piece->kind = PIECE_NORMAL;
    if (kind == BYTE && tokenizer_byte_of(bytes, length) >= 0)
        piece->kind = PIECE_BYTE;
    else if (kind == CONTROL || kind == UNKNOWN)
        piece->kind = ends_turn(bytes, length) ? PIECE_END : PIECE_CONTROL;
    else if (kind == USER_DEFINED && length > 0)
        piece->kind = PIECE_USER;
    if (s->by_scores && (is_plain || kind == USER_DEFINED)) {
        piece->length = with_spaces(bytes, length);
        /* User-defined pieces are looked for in the text as it is, which has spaces. */
        if (piece->kind == PIECE_USER && piece->length != length)
            piece->kind = PIECE_NORMAL;
    } else if (!s->by_scores && is_plain) {
        piece->length = with_bytes(bytes, length);
    }
}

/* Reads some pieces from first on; their kinds are in score as long as that is not known. */
static bool read_some_pieces(struct source *s, uint32_t first, uint32_t end) {
    for (uint32_t i = first; i < end; i++) {
        struct piece *piece = &s->tokenizer->pieces[i];
        uint64_t length;
        if (!cursor_read(&s->cursor, &length, sizeof length))
            return not_read(s);
        if (length > MAX_PIECE_BYTES)
            return gguf_error(s->gguf, "its token %u has %llu bytes", (unsigned)i,
                              (unsigned long long)length);
        if (!cursor_read(&s->cursor, s->at, (size_t)length))
            return not_read(s);
        piece->bytes = s->at;
        piece->length = (uint32_t)length;
        s->at += length;
    }
    return true;
}

typedef bool read_some(struct source *s, uint32_t first, uint32_t end);

/* Reads count elements of an array by calls of read, cut as CALL_PIECES says. */
static bool read_array(struct source *s, const struct gguf_entry *entry, uint32_t count,
                       read_some *read) {
    bool good = begin_array(s, entry);
    for (uint32_t i = 0; good && i < count; i += CALL_PIECES)
        good = read(s, i, count - i < CALL_PIECES ? count : i + CALL_PIECES);
    cursor_end(&s->cursor);
    return good;
}

static bool read_some_scores(struct source *s, uint32_t first, uint32_t end) {
    for (uint32_t i = first; i < end; i++)
        if (!cursor_read(&s->cursor, &s->tokenizer->pieces[i].score, sizeof(float)))
            return not_read(s);
    return true;
}

static bool read_some_kinds(struct source *s, uint32_t first, uint32_t end) {
    for (uint32_t i = first; i < end; i++) {
        struct piece *piece = &s->tokenizer->pieces[i];
        int32_t kind;
        if (!cursor_read(&s->cursor, &kind, sizeof kind))
            return not_read(s);
        s->at = s->tokenizer->memory + (piece->bytes - s->tokenizer->memory);
        set_kind(s, piece, kind);
    }
    return true;
}

/* Finds an array of count elements; absent: NULL in *entry, and an error if it has to be there. */
static bool find_array(const struct source *s, const char *key, enum gguf_type type, uint32_t count,
                       bool needed, const struct gguf_entry **entry) {
    *entry = NULL;
    if (!gguf_array(s->gguf, key, type, entry))
        return false;
    if (!*entry)
        return !needed || gguf_error(s->gguf, "it has no %s", key);
    return (*entry)->count == count ||
           gguf_error(s->gguf, "its %s has %llu elements where its model has %u", key,
                      (unsigned long long)(*entry)->count, (unsigned)count);
}

static bool read_pieces(struct source *s, uint32_t count) {
    const struct gguf_entry *pieces, *scores, *kinds;
    struct tokenizer *t = s->tokenizer;
    if (!find_array(s, KEY("tokens"), GGUF_STRING, count, true, &pieces) ||
        !find_array(s, KEY("scores"), GGUF_FLOAT32, count, s->by_scores, &scores) ||
        !find_array(s, KEY("token_type"), GGUF_INT32, count, false, &kinds) ||
        !tokenizer_allocate(t, count, (size_t)pieces->string_bytes, s->gguf->error))
        return false;
    s->at = t->memory;
    if (!read_array(s, pieces, count, read_some_pieces) ||
        (scores && s->by_scores && !read_array(s, scores, count, read_some_scores)))
        return false;
    if (kinds)
        return read_array(s, kinds, count, read_some_kinds);
    for (uint32_t i = 0; i < count; i++) {
        s->at = t->memory + (t->pieces[i].bytes - t->memory);
        set_kind(s, &t->pieces[i], BYTE); /* or a normal one, by its name */
    }
    return true;
}

static void find_byte_pieces(struct source *s) {
    struct tokenizer *t = s->tokenizer;
    for (uint32_t i = 0; s->by_scores && i < t->count; i++) {
        const struct piece *piece = &t->pieces[i];
        if (piece->kind == PIECE_BYTE)
            t->byte_pieces[tokenizer_byte_of(piece->bytes, piece->length)] = i;
    }
    for (int i = 0; !s->by_scores && i < 256; i++) {
        char byte = (char)i;
        tokenizer_find(t, &byte, 1, &t->byte_pieces[i]);
    }
}

/* ---- Merges ---- */

/* The piece with these bytes of a merge. */
static uint32_t find_part(const struct tokenizer *t, char *bytes, uint32_t length) {
    uint32_t token = TOKEN_NONE;
    tokenizer_find(t, bytes, with_bytes(bytes, length), &token);
    return token;
}

static bool read_some_merges(struct source *s, uint32_t first, uint32_t end) {
    struct tokenizer *t = s->tokenizer;
    for (uint32_t i = first; i < end; i++) {
        char text[MAX_MERGE_BYTES];
        uint64_t length;
        if (!cursor_read(&s->cursor, &length, sizeof length))
            return not_read(s);
        if (length > sizeof text)
            return gguf_error(s->gguf, "its merge %u has %llu bytes", (unsigned)i,
                              (unsigned long long)length);
        if (!cursor_read(&s->cursor, text, (size_t)length))
            return not_read(s);
        char *space = length > 1 ? memchr(text + 1, ' ', (size_t)length - 1) : NULL;
        if (!space)
            return gguf_error(s->gguf, "damaged: its merge %u is no pair", (unsigned)i);
        uint32_t left = (uint32_t)(space - text), right = (uint32_t)length - left - 1;
        struct merge merge = {find_part(t, text, left), find_part(t, space + 1, right), i};
        if (merge.left != TOKEN_NONE && merge.right != TOKEN_NONE)
            t->merges[t->merge_count++] = merge;
    }
    return true;
}

static int compare_merges(const void *left, const void *right) {
    const struct merge *a = left, *b = right;
    if (a->left != b->left)
        return a->left < b->left ? -1 : 1;
    if (a->right != b->right)
        return a->right < b->right ? -1 : 1;
    return a->rank < b->rank ? -1 : 1;
}

static bool read_merges(struct source *s) {
    const struct gguf_entry *merges = NULL;
    struct tokenizer *t = s->tokenizer;
    if (!gguf_array(s->gguf, KEY("merges"), GGUF_STRING, &merges))
        return false;
    if (!merges || merges->count > MAX_MERGES)
        return gguf_error(s->gguf, "it has no %s, or too many", KEY("merges"));
    t->merges = malloc((size_t)(merges->count + 1) * sizeof *t->merges);
    t->classes = words_make_classes();
    if (!t->merges || !t->classes)
        return no_memory(s);
    if (!read_array(s, merges, (uint32_t)merges->count, read_some_merges))
        return false;
    qsort(t->merges, t->merge_count, sizeof *t->merges, compare_merges);
    return true;
}

static bool find_rules(const struct source *s, enum word_rules *rules) {
    static const char *const names[] = {
        [WORDS_DEFAULT] = "default", [WORDS_GPT2] = "gpt-2",  [WORDS_LLAMA_BPE] = "llama-bpe",
        [WORDS_SMOLLM] = "smollm",   [WORDS_QWEN2] = "qwen2",
    };
    char name[32] = "default";
    if (!gguf_string(s->gguf, KEY("pre"), name, sizeof name))
        return false;
    for (size_t i = WORDS_DEFAULT; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) {
            *rules = (enum word_rules)i;
            return true;
        }
    return gguf_error(s->gguf,
                      "its tokenizer divides texts by \"%s\"; there are default gpt-2 "
                      "llama-bpe smollm qwen2",
                      name);
}

/* ---- All of it ---- */

/* A token's number; absent: *token stays. */
static bool read_token(const struct source *s, const char *key, uint32_t *token) {
    return gguf_whole(s->gguf, key, 0, s->tokenizer->count - 1, token);
}

static bool read_special(struct source *s) {
    struct tokenizer *t = s->tokenizer;
    uint32_t turn[] = {TOKEN_NONE, TOKEN_NONE};
    if (s->by_scores) {
        t->bos = TOKEN_BOS < t->count ? TOKEN_BOS : TOKEN_NONE;
        t->eos = TOKEN_EOS < t->count ? TOKEN_EOS : TOKEN_NONE;
    }
    t->exact = true;
    t->add_space = s->by_scores;
    t->add_bos = s->by_scores || t->words == WORDS_LLAMA_BPE;
    if (!read_token(s, KEY("bos_token_id"), &t->bos) ||
        !read_token(s, KEY("eos_token_id"), &t->eos) ||
        !read_token(s, KEY("eot_token_id"), &turn[0]) ||
        !read_token(s, KEY("eom_token_id"), &turn[1]) ||
        !gguf_bool(s->gguf, KEY("add_bos_token"), &t->add_bos) ||
        !gguf_bool(s->gguf, KEY("add_eos_token"), &t->add_eos) ||
        !gguf_bool(s->gguf, KEY("add_space_prefix"), &t->add_space))
        return false;
    for (int i = 0; i < 2; i++)
        if (turn[i] != TOKEN_NONE)
            t->pieces[turn[i]].kind = PIECE_END;
    t->add_bos = t->add_bos && t->bos != TOKEN_NONE;
    t->add_space = t->add_space && s->by_scores;
    return true;
}

bool gguf_has_tokenizer(const struct gguf *g) {
    return gguf_entry(g, KEY("model")) != NULL;
}

bool gguf_read_tokenizer(struct tokenizer *t, const struct gguf *g, uint32_t count) {
    char model[32] = "";
    struct source s = {.gguf = g, .tokenizer = t};
    *t = (struct tokenizer){0};
    if (!gguf_string(g, KEY("model"), model, sizeof model))
        return false;
    s.by_scores = strcmp(model, "llama") == 0;
    if (!s.by_scores && strcmp(model, "gpt2") != 0)
        return gguf_error(g, "its tokenizer is of the kind \"%s\"; there are llama and gpt2",
                          model);
    enum word_rules rules = WORDS_NONE;
    bool good = (s.by_scores || find_rules(&s, &rules)) && read_pieces(&s, count);
    if (good) {
        t->words = rules;
        tokenizer_sort(t);
        find_byte_pieces(&s);
        good = (s.by_scores || read_merges(&s)) && tokenizer_list_user(t, g->error) &&
               read_special(&s);
    }
    if (!good)
        tokenizer_free(t);
    return good;
}

bool gguf_read_chat_template(const struct gguf *g, char **program) {
    const char *key = "tokenizer.chat_template";
    const struct gguf_entry *entry = gguf_entry(g, key);
    *program = NULL;
    if (!entry)
        return true;
    if (entry->array || entry->type != GGUF_STRING || entry->count > MAX_TEMPLATE_BYTES)
        return gguf_error(g, "its %s is no text of at most %u bytes", key, MAX_TEMPLATE_BYTES);
    char *text = malloc((size_t)entry->count + 1);
    if (!text)
        return gguf_error(g, "no memory for its %s", key);
    if (!gguf_string(g, key, text, (size_t)entry->count + 1)) {
        free(text);
        return false;
    }
    *program = text;
    return true;
}
