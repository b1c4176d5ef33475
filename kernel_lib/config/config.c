#include "config.h"
#include "kernel_lib/runtime.h"

#define MOST_REPORTS 20 /* of wrong lines, of one text */

struct setting {
    struct setting *next;     /* the one that was read after it */
    struct setting *child[2]; /* in the tree: with lesser and with greater keys */
    const char *value;        /* within the same allocation, behind the key */
    unsigned level;           /* in the tree */
    unsigned text;            /* the number of the text that it comes from */
    char key[];
};

static struct setting *first, **last = &first; /* in the order in which they were read */
static struct setting *root;
static unsigned texts; /* parsed so far */

/* config_key's last answer: so that going through all keys takes one step for each. */
static const struct setting *last_setting;
static size_t last_index;

/* ---- A balanced tree of the keys (A. Andersson, "Balanced Search Trees Made Simple", 1993): many
 * settings take n log n, whatever their keys are. ---- */

/* Makes the child on that side the parent; returns it. */
static struct setting *rotate(struct setting *node, int side) {
    struct setting *child = node->child[side];
    node->child[side] = child->child[!side];
    child->child[!side] = node;
    return child;
}

static unsigned level_of(const struct setting *node) {
    return node ? node->level : 0;
}

/* Inserts a setting whose key is not in the tree; returns the tree's new root. */
static struct setting *insert(struct setting *node, struct setting *setting) {
    if (!node)
        return setting;
    int side = strcmp(setting->key, node->key) > 0;
    node->child[side] = insert(node->child[side], setting);
    if (level_of(node->child[0]) == node->level)
        node = rotate(node, 0);
    if (node->child[1] && level_of(node->child[1]->child[1]) == node->level) {
        node = rotate(node, 1);
        node->level++;
    }
    return node;
}

static struct setting *find(const char *key) {
    struct setting *setting = root;
    for (int order; setting && (order = strcmp(key, setting->key)) != 0;)
        setting = setting->child[order > 0];
    return setting;
}

const char *config_get(const char *key) {
    const struct setting *setting = find(key);
    return setting ? setting->value : NULL;
}

const char *config_key(size_t index) {
    if (!last_setting || index < last_index) {
        last_setting = first;
        last_index = 0;
    }
    for (; last_setting && last_index < index; last_index++)
        last_setting = last_setting->next;
    return last_setting ? last_setting->key : NULL;
}

void config_clear(void) {
    while (first) {
        struct setting *next = first->next;
        free(first);
        first = next;
    }
    last = &first;
    root = NULL;
    last_setting = NULL;
}

/* ---- Parsing of one line; [at, end) is what is left of it ---- */

struct line {
    const char *at, *end;
};

static void skip_blanks(struct line *line) {
    while (line->at < line->end && (*line->at == ' ' || *line->at == '\t'))
        line->at++;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_key_character(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads what follows a backslash. NULL, or what is wrong. */
static const char *parse_escape(struct line *line, char *character) {
    static const char names[] = "ntr\"\\", characters[] = "\n\t\r\"\\";
    if (line->at == line->end)
        return "the value has no closing quote";
    char name = *line->at++;
    if (name == 'x') {
        int high = line->end - line->at >= 2 ? hex_digit(line->at[0]) : -1;
        int low = high >= 0 ? hex_digit(line->at[1]) : -1;
        if (low < 0)
            return "\\x must be followed by two hexadecimal digits";
        if (high == 0 && low == 0)
            return "\\x00 cannot be part of a value";
        *character = (char)(high << 4 | low);
        line->at += 2;
        return NULL;
    }
    for (size_t i = 0; names[i]; i++) {
        if (name == names[i]) {
            *character = characters[i];
            return NULL;
        }
    }
    return "the only escapes are \\n, \\t, \\r, \\\", \\\\ and \\xNN";
}

/* Reads a value in quotes into value, which has room for the rest of the line. */
static const char *parse_quoted(struct line *line, char *value, size_t *size) {
    line->at++; /* the quote */
    *size = 0;
    while (line->at < line->end) {
        char c = *line->at++;
        if (c == '"')
            return NULL;
        if (c == '\\') {
            const char *wrong = parse_escape(line, &c);
            if (wrong)
                return wrong;
        }
        value[(*size)++] = c;
    }
    return "the value has no closing quote";
}

static void parse_plain(struct line *line, char *value, size_t *size) {
    const char *start = line->at;
    while (line->at < line->end && *line->at != '#')
        line->at++;
    const char *end = line->at;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *size = (size_t)(end - start);
    memcpy(value, start, *size);
}

/* NULL, or what is wrong with the line. */
static const char *parse_line(struct line line) {
    skip_blanks(&line);
    if (line.at == line.end || *line.at == '#')
        return NULL;
    if (memchr(line.at, '\0', (size_t)(line.end - line.at)))
        return "there is a zero byte in it";
    const char *key = line.at;
    while (line.at < line.end && is_key_character(*line.at))
        line.at++;
    size_t key_size = (size_t)(line.at - key);
    if (key_size == 0 || !is_letter(*key))
        return "it must begin with a key, as in key = value";
    skip_blanks(&line);
    if (line.at == line.end || *line.at != '=')
        return "\"=\" must follow the key, as in key = value";
    line.at++;
    skip_blanks(&line);

    struct setting *setting =
        malloc(sizeof *setting + key_size + 1 + (size_t)(line.end - line.at) + 1);
    if (!setting)
        return "there is no memory for it";
    *setting = (struct setting){.level = 1, .text = texts};
    memcpy(setting->key, key, key_size);
    setting->key[key_size] = '\0';
    char *value = setting->key + key_size + 1;
    size_t size = 0;
    const char *wrong = NULL;
    if (line.at < line.end && *line.at == '"')
        wrong = parse_quoted(&line, value, &size);
    else
        parse_plain(&line, value, &size);
    skip_blanks(&line);
    if (!wrong && line.at < line.end && *line.at != '#')
        wrong = "only a # comment may follow the closing quote";

    const struct setting *earlier = find(setting->key);
    if (!wrong && earlier && earlier->text == texts)
        wrong = "the key has been set before; the first value stays";
    if (wrong || earlier) {
        free(setting);
        return wrong;
    }
    value[size] = '\0';
    setting->value = value;
    *last = setting;
    last = &setting->next;
    root = insert(root, setting);
    return NULL;
}

void config_parse(const char *text, size_t size, config_report *report, void *context) {
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    const char *text_end = text + size;
    unsigned reports = 0;
    texts++;
    if (size >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        text += 3;
    for (unsigned number = 1; text < text_end; number++) {
        const char *line_end = memchr(text, '\n', (size_t)(text_end - text));
        const char *next = line_end ? line_end + 1 : text_end;
        if (!line_end)
            line_end = text_end;
        if (line_end > text && line_end[-1] == '\r')
            line_end--;
        const char *wrong = parse_line((struct line){.at = text, .end = line_end});
        if (wrong && ++reports == MOST_REPORTS)
            wrong = "it is wrong, and what is wrong below it is ignored without a word";
        if (wrong && reports <= MOST_REPORTS)
            report(context, number, wrong);
        text = next;
    }
}
