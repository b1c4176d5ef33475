/* The syntax of the configuration's text. */
#include "config.h"
#include "kernel_lib/runtime.h"

#define MOST_REPORTS 20 /* of wrong lines, of one text */

static unsigned texts; /* parsed so far */

/* What is left of a line. */
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

    struct setting *setting = config_new(key, key_size, (size_t)(line.end - line.at) + 1);
    if (!setting)
        return "there is no memory for it";
    setting->text = texts;
    size_t size = 0;
    const char *wrong = NULL;
    if (line.at < line.end && *line.at == '"')
        wrong = parse_quoted(&line, setting->value, &size);
    else
        parse_plain(&line, setting->value, &size);
    setting->value[size] = '\0';
    skip_blanks(&line);
    if (!wrong && line.at < line.end && *line.at != '#')
        wrong = "only a # comment may follow the closing quote";

    const struct setting *earlier = config_find(setting->key);
    if (!wrong && earlier && earlier->value && earlier->text == texts)
        wrong = "the key has been set before; the first value stays";
    if (wrong || (earlier && earlier->value))
        free(setting);
    else
        config_add(setting);
    return wrong;
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
