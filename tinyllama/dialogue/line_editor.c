/* Editing a line. */
#include "line_editor.h"
#include "kernel_lib/io/character_width.h"
#include <stdint.h>
#include <string.h>

/* Columns shown: the cursor never reaches the edge, where terminals differ. */
#define WINDOW (80 - LINE_PROMPT - 1)
#define NOTHING_CHANGED SIZE_MAX

#define CONTROL(letter) ((letter) - '@')
#define ESCAPE 0x1B

static bool continues(char byte) {
    return (byte & 0xC0) == 0x80;
}

/* The columns of the character at offset *at, which becomes the offset of the next one. A line is
 * well-formed UTF-8. */
static unsigned take_width(const struct line_editor *e, size_t *at) {
    struct utf8 utf8 = {0};
    if (!(e->text[*at] & 0x80)) { /* the usual case, for speed: every key measures the screen */
        ++*at;
        return 1;
    }
    while (!utf8_take(&utf8, e->text[*at]))
        ++*at;
    ++*at;
    return character_width(utf8.character);
}

/* The offset behind the character at offset at and those that go with it. */
static size_t next_character(const struct line_editor *e, size_t at) {
    take_width(e, &at);
    for (size_t next = at; next < e->length && take_width(e, &next) == 0;)
        at = next;
    return at;
}

static size_t previous_character(const struct line_editor *e, size_t at) {
    size_t character;
    do {
        do
            at--;
        while (at > 0 && continues(e->text[at]));
        character = at;
    } while (at > 0 && take_width(e, &character) == 0);
    return at;
}

static size_t columns_between(const struct line_editor *e, size_t from, size_t to) {
    size_t columns = 0;
    while (from < to)
        columns += take_width(e, &from);
    return columns;
}

/* The offset of the first character that does not fit into so many columns from offset from on, or
 * the line's end. */
static size_t offset_behind(const struct line_editor *e, size_t from, size_t columns) {
    for (size_t next = from; from < e->length; from = next) {
        unsigned width = take_width(e, &next);
        if (width > columns)
            break;
        columns -= width;
    }
    return from;
}

/* ---- Showing ---- */

static void write_times(struct line_editor *e, char character, size_t times) {
    while (times-- > 0)
        e->write(&character, 1);
}

/* Moves the cursor to the character at offset at, which is on the screen, as all before it are. */
static void go_to(struct line_editor *e, size_t at) {
    size_t column = columns_between(e, e->first, at);
    if (column < e->column) {
        write_times(e, '\b', e->column - column);
    } else if (column > e->column) {
        size_t from = offset_behind(e, e->first, e->column);
        e->write(e->text + from, at - from);
    }
    e->column = column;
}

/* If the cursor is outside the window, moves the window so that the cursor is in its middle.
 * Whether it moved. */
static bool move_window(struct line_editor *e) {
    if ((e->cursor > e->first || e->first == 0) &&
        columns_between(e, e->first, e->cursor) <= WINDOW)
        return false;
    size_t columns = columns_between(e, 0, e->cursor);
    e->first = offset_behind(e, 0, columns > WINDOW / 2 ? columns - WINDOW / 2 : 0);
    return true;
}

/* Shows the line, which has changed from offset changed on, and the cursor. */
static void show(struct line_editor *e, size_t changed) {
    if (move_window(e)) {
        write_times(e, '\b', e->column);
        e->column = 0;
        changed = e->first;
    }
    if (changed != NOTHING_CHANGED) {
        if (changed < e->first)
            changed = e->first;
        go_to(e, changed);
        size_t end = offset_behind(e, e->first, WINDOW);
        e->write(e->text + changed, end - changed);
        size_t columns = columns_between(e, e->first, end);
        size_t erased = e->columns > columns ? e->columns - columns : 0;
        write_times(e, ' ', erased);
        e->column = columns + erased;
        write_times(e, '\b', erased);
        e->column -= erased;
        e->columns = columns;
    }
    go_to(e, e->cursor);
}

/* ---- Editing ---- */

static void move_cursor(struct line_editor *e, size_t to) {
    e->cursor = to;
    show(e, NOTHING_CHANGED);
}

static void insert(struct line_editor *e, const char *bytes, size_t size) {
    if (e->length + size > LINE_SIZE - 1)
        return;
    size_t at = e->cursor;
    memmove(e->text + at + size, e->text + at, e->length - at);
    memcpy(e->text + at, bytes, size);
    e->length += size;
    e->cursor += size;
    show(e, at);
}

/* Erases the bytes from offset from to offset to, and puts the cursor there. */
static void erase(struct line_editor *e, size_t from, size_t to) {
    memmove(e->text + from, e->text + to, e->length - to);
    e->length -= to - from;
    e->cursor = from;
    show(e, from);
}

static char *line_at(struct line_editor *e, size_t number) {
    return e->lines[number % LINE_HISTORY];
}

/* Keeps what is shown as the line of this number. */
static void keep(struct line_editor *e, size_t number) {
    char *line = line_at(e, number);
    memcpy(line, e->text, e->length);
    line[e->length] = '\0';
}

/* Shows another line of the history. Changes to a recalled line are lost; what was typed before is
 * kept. */
static void recall(struct line_editor *e, size_t number) {
    if (e->recalled == e->newest)
        keep(e, e->newest);
    e->recalled = number;
    const char *line = line_at(e, number);
    e->length = strlen(line);
    memcpy(e->text, line, e->length);
    e->cursor = e->length;
    write_times(e, '\b', e->column);
    e->first = e->column = 0;
    show(e, 0);
}

/* ---- Keys ---- */

/* A key by the last byte of its escape sequence; other keys do nothing. */
static void sequence_key(struct line_editor *e, unsigned char last) {
    if (last == '~') { /* VT220: the number says which key */
        static const char keys[] = {[1] = 'H', [3] = 'P', [4] = 'F', [7] = 'H', [8] = 'F'};
        last = e->parameter < sizeof keys ? (unsigned char)keys[e->parameter] : 0;
    }
    if (last == 'A' && e->recalled > e->oldest)
        recall(e, e->recalled - 1);
    else if (last == 'B' && e->recalled < e->newest)
        recall(e, e->recalled + 1);
    else if (last == 'C' && e->cursor < e->length)
        move_cursor(e, next_character(e, e->cursor));
    else if (last == 'D' && e->cursor > 0)
        move_cursor(e, previous_character(e, e->cursor));
    else if (last == 'H')
        move_cursor(e, 0);
    else if (last == 'F')
        move_cursor(e, e->length);
    else if (last == 'P' && e->cursor < e->length)
        erase(e, e->cursor, next_character(e, e->cursor));
}

/* Takes a byte of an escape sequence (ECMA-48, 5.4: parameters, then one byte from 40h to 7Eh; SS3,
 * ESC O, is what some terminals begin with). */
static void escape_byte(struct line_editor *e, unsigned char byte) {
    if (e->state == KEY_ESCAPE) {
        e->state = byte == '[' || byte == 'O' ? KEY_SEQUENCE : KEY_PLAIN;
        e->parameter = 0;
    } else if (byte >= '0' && byte <= '9') {
        e->parameter = (e->parameter * 10 + (byte - '0')) % 100;
    } else if (byte >= '@') {
        e->state = KEY_PLAIN;
        sequence_key(e, byte);
    }
}

/* Takes a byte of a character; it appears when it is whole. */
static void character_byte(struct line_editor *e, unsigned char byte) {
    do {
        if (!utf8_take(&e->utf8, (char)byte) || e->utf8.character == UTF8_MALFORMED ||
            utf8_is_control(e->utf8.character))
            continue;
        if (e->cursor > 0 || character_width(e->utf8.character) > 0)
            insert(e, e->utf8.bytes, e->utf8.size);
    } while (e->utf8.again);
}

/* Ends the line on the screen, and the editing. */
static void finish(struct line_editor *e) {
    e->write("\n", 1);
    keep(e, e->newest);
    e->length = e->cursor = e->first = e->column = e->columns = 0;
}

static enum line_event control_key(struct line_editor *e, unsigned char key) {
    switch (key) {
    case CONTROL('A'):
        move_cursor(e, 0);
        break;
    case CONTROL('C'):
        finish(e);
        line_at(e, e->newest)[0] = '\0';
        e->recalled = e->newest;
        return LINE_CANCELLED;
    case CONTROL('D'):
        if (e->length == 0) {
            finish(e);
            return LINE_ENDED;
        }
        sequence_key(e, 'P');
        break;
    case CONTROL('E'):
        move_cursor(e, e->length);
        break;
    case '\b':
        if (e->cursor > 0)
            erase(e, previous_character(e, e->cursor), e->cursor);
        break;
    case '\n':
        finish(e);
        return LINE_ENTERED;
    case CONTROL('U'):
        erase(e, 0, e->length);
        break;
    case '\t':
        insert(e, " ", 1); /* a tab's width depends on its column */
        break;
    default:
        break;
    }
    return LINE_TYPING;
}

void line_editor_init(struct line_editor *e, void (*write)(const char *bytes, size_t size)) {
    *e = (struct line_editor){.write = write};
}

enum line_event line_editor_byte(struct line_editor *e, unsigned char byte) {
    if (byte < ' ') { /* ends an escape sequence that is none, as after the key Esc */
        e->utf8 = (struct utf8){0};
        e->state = byte == ESCAPE ? KEY_ESCAPE : KEY_PLAIN;
        return control_key(e, byte);
    }
    if (e->state != KEY_PLAIN)
        escape_byte(e, byte);
    else
        character_byte(e, byte);
    return LINE_TYPING;
}

const char *line_editor_take(struct line_editor *e) {
    const char *line = line_at(e, e->newest);
    bool kept = line[0] && (e->newest == e->oldest || strcmp(line_at(e, e->newest - 1), line) != 0);
    if (kept) {
        e->newest++;
        if (e->newest - e->oldest == LINE_HISTORY)
            e->oldest++;
        line_at(e, e->newest)[0] = '\0';
    }
    e->recalled = e->newest;
    return line;
}
