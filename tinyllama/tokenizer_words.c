/* Division of a text into words. */
#include "tokenizer_words.h"
#include "character_classes.inc"
#include "kernel_lib/leb128.h"

enum class { OTHER, LETTER, NUMBER, PUNCTUATION, SPACE };

/* ---- Characters ---- */

/* Each element: the first character of a run, times 4, plus the class; the rest is what is between
 * the runs of the table. */
#define CLASS_ELEMENTS (2 * CLASS_RUNS + 1)

uint32_t *words_make_classes(void) {
    uint32_t *classes = malloc(CLASS_ELEMENTS * sizeof *classes), behind = 0;
    if (!classes)
        return NULL;
    const uint8_t *at = class_table;
    for (uint32_t i = 0; i < CLASS_RUNS; i++) {
        uint32_t begin = leb128_read(&at);
        classes[2 * i] = behind * 4 + OTHER;
        behind += begin / 4;
        classes[2 * i + 1] = behind * 4 + begin % 4;
        behind += leb128_read(&at) + 1;
    }
    classes[2 * CLASS_RUNS] = behind * 4 + OTHER;
    return classes;
}

static bool is_space(uint32_t c) {
    return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

static enum class class_of(const uint32_t *classes, uint32_t c) {
    if (is_space(c))
        return SPACE;
    uint32_t low = 0, high = CLASS_ELEMENTS; /* the last element that begins at or before c */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (classes[middle] / 4 <= c)
            low = middle;
        else
            high = middle;
    }
    return (enum class)(classes[low] % 4);
}

/* The text that is being divided, from a place on. */
struct reader {
    const uint32_t *classes;
    const unsigned char *text;
    size_t length, at;
    /* The character there; bytes is 0 at the end, and what is no UTF-8 is one byte of OTHER. */
    uint32_t code;
    enum class class;
    size_t bytes;
};

/* Looks at the character where the reader is. */
static void look(struct reader *r) {
    const unsigned char *text = r->text + r->at;
    size_t left = r->length - r->at, bytes = 1;
    r->bytes = 0;
    r->code = 0;
    r->class = OTHER;
    if (left == 0)
        return;
    uint32_t code = text[0];
    if (code >= 0xC2 && code < 0xF5)
        bytes = code < 0xE0 ? 2 : code < 0xF0 ? 3 : 4;
    if (bytes > 1)
        code &= 0x7Fu >> bytes;
    bool good = bytes <= left && (bytes > 1 || code < 0x80);
    for (size_t i = 1; good && i < bytes; i++) {
        good = (text[i] & 0xC0) == 0x80;
        code = code << 6 | (text[i] & 0x3F);
    }
    r->bytes = good ? bytes : 1;
    if (good) {
        r->code = code;
        r->class = class_of(r->classes, code);
    }
}

static void advance(struct reader *r) {
    r->at += r->bytes;
    look(r);
}

static void move(struct reader *r, size_t at) {
    r->at = at;
    look(r);
}

static struct reader read_from(const struct tokenizer *t, const char *text, size_t length) {
    struct reader r = {t->classes, (const unsigned char *)text, length, 0, 0, OTHER, 0};
    look(&r);
    return r;
}

/* Goes on behind all characters of a class. */
static void pass(struct reader *r, enum class class) {
    while (r->bytes && r->class == class)
        advance(r);
}

/* Whether a character is there that is neither white space nor a letter nor a number. */
static bool is_symbol(const struct reader *r) {
    return r->bytes && (r->class == OTHER || r->class == PUNCTUATION);
}

/* ---- Rules: each gives the length of the first word ---- */

/* The English endings 's 't 'm 'd 're 've 'll; 0 if the text begins with none. */
static size_t ending(const struct reader *r, bool any_case) {
    const unsigned char fold = any_case ? 0x20 : 0, *text = r->text + r->at;
    size_t left = r->length - r->at;
    if (left < 2 || text[0] != '\'')
        return 0;
    unsigned char first = text[1] | fold, second = left > 2 ? text[2] | fold : 0;
    if (first == 's' || first == 't' || first == 'm' || first == 'd')
        return 2;
    bool two = (first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
               (first == 'l' && second == 'l');
    return two ? 3 : 0;
}

/* White space, with a last character that belongs to what follows left out: \s+(?!\S)|\s+ */
static size_t white_space(struct reader *r) {
    size_t begin = r->at, last = begin;
    while (r->bytes && r->class == SPACE) {
        last = r->at;
        advance(r);
    }
    return r->bytes && last > begin ? last : r->at;
}

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static size_t gpt2_word(struct reader *r) {
    size_t length = ending(r, false);
    if (length)
        return length;
    if (r->code == ' ')
        advance(r);
    if (r->bytes && (r->class == LETTER || r->class == NUMBER)) {
        pass(r, r->class);
        return r->at;
    }
    if (is_symbol(r)) {
        while (is_symbol(r))
            advance(r);
        return r->at;
    }
    move(r, 0);
    return white_space(r);
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}|
 *  ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static size_t llama_word(struct reader *r, unsigned digits) {
    size_t length = ending(r, true);
    if (length)
        return length;
    if (r->class == NUMBER) {
        while (digits-- && r->bytes && r->class == NUMBER)
            advance(r);
        return r->at;
    }
    if (r->code != '\r' && r->code != '\n' && r->class != LETTER)
        advance(r);
    if (r->bytes && r->class == LETTER) {
        pass(r, LETTER);
        return r->at;
    }
    move(r, 0);
    if (r->code == ' ')
        advance(r);
    if (is_symbol(r)) {
        while (is_symbol(r))
            advance(r);
        while (r->bytes && (r->code == '\r' || r->code == '\n'))
            advance(r);
        return r->at;
    }
    move(r, 0);
    size_t break_end = 0;
    while (r->bytes && r->class == SPACE) {
        bool is_break = r->code == '\r' || r->code == '\n';
        advance(r);
        if (is_break)
            break_end = r->at;
    }
    if (break_end)
        return break_end;
    move(r, 0);
    return white_space(r);
}

/* What some rules only cut out of a text. */
static bool is_digit(const struct reader *r) {
    return r->code >= '0' && r->code <= '9';
}
static bool is_number(const struct reader *r) {
    return r->bytes && r->class == NUMBER;
}
static bool is_punctuation(const struct reader *r) {
    return r->bytes && (r->class == PUNCTUATION ||
                        (r->code && r->code < 0x80 && strchr("$+<=>^~|", (int)r->code)));
}

/* A run of such characters, or what is in front of the first one. */
static size_t cut_run(struct reader *r, bool (*belongs)(const struct reader *)) {
    bool inside = belongs(r);
    while (r->bytes && belongs(r) == inside)
        advance(r);
    return r->at;
}

/* One number, or what is in front of it. */
static size_t cut_number(struct reader *r) {
    if (is_number(r)) {
        advance(r);
        return r->at;
    }
    return cut_run(r, is_number);
}

/* Three digits, or what is in front of them. */
static size_t cut_three_digits(struct reader *r) {
    size_t run = 0; /* digits in a row */
    for (; r->bytes; advance(r)) {
        run = is_digit(r) ? run + 1 : 0;
        if (run == 3)
            return r->at + 1 == 3 ? 3 : r->at - 2;
    }
    return r->at;
}

/* ---- All rules ---- */

enum rule { NO_RULE, GPT2, LLAMA, QWEN, CUT_PUNCTUATION, CUT_NUMBERS, CUT_NUMBER, CUT_DIGITS };

static size_t apply(enum rule rule, struct reader r) {
    switch (rule) {
    case GPT2:
        return gpt2_word(&r);
    case LLAMA:
        return llama_word(&r, 3);
    case QWEN:
        return llama_word(&r, 1);
    case CUT_PUNCTUATION:
        return cut_run(&r, is_punctuation);
    case CUT_NUMBERS:
        return cut_run(&r, is_number);
    case CUT_NUMBER:
        return cut_number(&r);
    case CUT_DIGITS:
        return cut_three_digits(&r);
    case NO_RULE:
        break;
    }
    return r.length;
}

/* One after the other: each divides what the one before has left. */
static const uint8_t rules_of[][4] = {
    [WORDS_DEFAULT] = {CUT_PUNCTUATION, GPT2, CUT_NUMBERS, CUT_DIGITS},
    [WORDS_GPT2] = {GPT2},
    [WORDS_LLAMA_BPE] = {LLAMA},
    [WORDS_SMOLLM] = {CUT_NUMBER, GPT2},
    [WORDS_QWEN2] = {QWEN},
};

size_t words_next(const struct tokenizer *t, const char *text, size_t length, size_t rest[3]) {
    size_t size = length;
    for (int i = 0; i < 4; i++) {
        size_t part = i < 3 && rest[i]
                          ? rest[i]
                          : apply((enum rule)rules_of[t->words][i], read_from(t, text, size));
        if (i < 3)
            rest[i] = part;
        size = part;
    }
    for (int i = 0; i < 3; i++)
        rest[i] -= size;
    return size;
}
