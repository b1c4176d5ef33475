// sources: tinyllama/dialogue/line_editor.c kernel_lib/io/utf8.c kernel_lib/io/character_width.c
/* The line editor: what is entered, and what a terminal of 80 columns shows meanwhile. */
#include "check.h"
#include "kernel_lib/io/character_width.h"
#include "tinyllama/dialogue/line_editor.h"
#include <stdint.h>
#include <string.h>

enum { COLUMNS = 80, MAX_LINE = 2000 };
#define UP "\033[A"
#define DOWN "\033[B"
#define RIGHT "\033[C"
#define LEFT "\033[D"
#define HOME "\033[H"
#define END "\033[F"
#define DELETE "\033[3~"

/* Known to be wide, or to join the character before, without the table under test. */
static const char *const wide[] = {"漢", "한", "😀", "ｗ"};
static const char *const joining[] = {"\u0301", "\u200D", "\uFE0F", "\u0E31"};

static bool is_among(const char *character, const char *const list[4]) {
    for (int i = 0; i < 4; i++)
        if (strcmp(list[i], character) == 0)
            return true;
    return false;
}

/* ---- A terminal that knows no more than the screen does: one row, characters by their bytes ----
 */

#define MAX_CELL 20                   /* bytes: a character with some that join it */
static char cells[COLUMNS][MAX_CELL]; /* of a wide character, the second one is empty */
static size_t column, lines;

static void clear_row(void) {
    for (size_t i = 0; i < COLUMNS; i++)
        strcpy(cells[i], " ");
    column = 0;
}

/* Half of a wide character that is written over leaves a blank. */
static void clear_cell(size_t at) {
    if (!cells[at][0] && at > 0)
        strcpy(cells[at - 1], " ");
    if (at + 1 < COLUMNS && !cells[at + 1][0])
        strcpy(cells[at + 1], " ");
    strcpy(cells[at], " ");
}

static bool any_characters; /* also others than those: then the table is asked */

static size_t width_on_terminal(const char *character) {
    struct utf8 utf8 = {0};
    if (!any_characters)
        return is_among(character, joining) ? 0 : is_among(character, wide) ? 2 : 1;
    while (!utf8_take(&utf8, *character))
        character++;
    return character_width(utf8.character);
}

static void show_character(const char *character) {
    size_t width = width_on_terminal(character);
    if (width == 0) {
        size_t before = cells[column - 1][0] ? column - 1 : column - 2;
        CHECK(column > 2);
        if (strlen(cells[before]) + strlen(character) < MAX_CELL)
            strcat(cells[before], character);
        return;
    }
    CHECK(column + width < COLUMNS); /* terminals differ in what they do at the edge */
    for (size_t i = 0; i < width; i++)
        clear_cell(column + i);
    strcpy(cells[column], character);
    if (width == 2)
        cells[column + 1][0] = '\0';
    column += width;
}

static void terminal(const char *bytes, size_t size) {
    static char character[5];
    static size_t length;
    for (size_t i = 0; i < size; i++) {
        char byte = bytes[i];
        if (byte == '\n') {
            clear_row();
            strcpy(cells[column++], ">");
            column++;
            lines++;
        } else if (byte == '\b') {
            CHECK(column-- > 2); /* never into the caller's prompt */
        } else {
            CHECK((unsigned char)byte >= ' ' && byte != 0x7F && length < 4);
            character[length++] = byte;
            unsigned char first = (unsigned char)character[0];
            if (length < (first < 0x80 ? 1u : first < 0xE0 ? 2u : first < 0xF0 ? 3u : 4u))
                continue;
            character[length] = '\0';
            length = 0;
            show_character(character);
        }
    }
}

/* The row behind the prompt, without trailing spaces. */
static const char *row(void) {
    static char text[COLUMNS * MAX_CELL + 1];
    text[0] = '\0';
    for (size_t i = 2; i < COLUMNS; i++)
        strcat(text, cells[i]);
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    return text;
}

static struct line_editor editor;

static void begin(void) {
    terminal("\n", 1);
    lines = 0;
    line_editor_init(&editor, terminal);
}

static void type(const char *keys) {
    for (; *keys; keys++)
        CHECK(line_editor_byte(&editor, (unsigned char)*keys) == LINE_TYPING);
}

static const char *enter(const char *keys) {
    type(keys);
    CHECK(line_editor_byte(&editor, '\n') == LINE_ENTERED);
    return line_editor_take(&editor);
}

#define CHECK_ENTERED(keys, line) CHECK(strcmp(enter(keys), line) == 0)

/* ---- Tests ---- */

static void test_keys(void) {
    begin();
    CHECK_ENTERED("", "");
    CHECK_ENTERED("hello", "hello");
    CHECK_ENTERED("helo" LEFT "l", "hello");
    CHECK_ENTERED("hellp\bo", "hello");
    CHECK_ENTERED("\b\bhello", "hello");
    CHECK_ENTERED("ello" HOME "h" END "!", "hello!");
    CHECK_ENTERED("ello\001h\005!", "hello!");
    CHECK_ENTERED("xhello" HOME DELETE END DELETE, "hello");
    CHECK_ENTERED("wrong\025right", "right");
    CHECK_ENTERED("ac" LEFT "b" RIGHT RIGHT RIGHT "d", "abcd");
    CHECK_ENTERED("b" LEFT LEFT LEFT "a", "ab");
    CHECK_ENTERED("a\tb", "a b");
    /* Other sequences for the same keys: VT220, SS3, with a modifier; and keys that do nothing. */
    CHECK_ENTERED("b\033[1~a\033[4~c", "abc");
    CHECK_ENTERED("b\033OHa\033OFc", "abc");
    CHECK_ENTERED("ac\033[1;5Db", "abc");
    CHECK_ENTERED("a\033[2~\033[15~\033[Zb", "ab");
    CHECK_ENTERED("a\033\033[Db", "ba"); /* the key Esc, then Left */
    CHECK_ENTERED("a\033", "a");         /* Esc, then Enter */
    CHECK_ENTERED("a\007\016b", "ab");
}

static void test_utf8(void) {
    begin();
    CHECK_ENTERED("für", "für");
    CHECK_ENTERED("ü\b", "");
    CHECK_ENTERED("aüb" LEFT LEFT "x", "axüb");
    CHECK_ENTERED("a€𝄞b" LEFT "\b" LEFT DELETE, "ab");
    CHECK_ENTERED("a\x80\xBF"
                  "b\xFF\xC0\xC1\xF5"
                  "c",
                  "abc");
    CHECK_ENTERED("a\xE2\x82"
                  "b",
                  "ab"); /* a character that was not completed */
    CHECK_ENTERED("a\xE2\xC3\xBC", "aü");
    type("aü");
    CHECK(strcmp(row(), "aü") == 0 && column == 4);
    type(LEFT "€");
    CHECK(strcmp(row(), "a€ü") == 0 && column == 4);
    type(HOME DELETE);
    CHECK(strcmp(row(), "€ü") == 0 && column == 2);
}

static void test_wide_and_joining(void) {
    begin();
    type("a漢b");
    CHECK(strcmp(row(), "a漢b") == 0 && column == 2 + 4);
    type(LEFT);
    CHECK(column == 2 + 3);
    type(LEFT);
    CHECK(column == 2 + 1);
    type("x");
    CHECK(strcmp(row(), "ax漢b") == 0 && column == 2 + 2);
    type(DELETE);
    CHECK(strcmp(row(), "axb") == 0 && column == 2 + 2);
    CHECK_ENTERED("", "axb");
    type("e\u0301e\u0301\u200D");
    CHECK(strcmp(row(), "e\u0301e\u0301\u200D") == 0 && column == 2 + 2);
    type(LEFT LEFT);
    CHECK(column == 2);
    type(RIGHT "\uFE0F" RIGHT); /* joins the one before the cursor */
    CHECK(column == 2 + 2);
    CHECK_ENTERED("\b", "e\u0301\uFE0F"); /* with those that join it */
    CHECK_ENTERED("\u0301a", "a");        /* nothing to join: it would be the prompt */
    /* Control characters of C1, too. */
    CHECK_ENTERED("a\xC2\x9B\xC2\x80"
                  "b\x9B",
                  "ab");
    CHECK_ENTERED("\xED\xA0\x80\xE0\x80\x9B\xF4\x90\x80\x80z", "z");
}

static void test_end(void) {
    begin();
    CHECK(line_editor_byte(&editor, 4) == LINE_ENDED);
    begin();
    type("ab" LEFT "\004\004"); /* Delete; and nothing at the end of a line */
    CHECK(strcmp(row(), "a") == 0);
    type("\b");
    CHECK(line_editor_byte(&editor, 4) == LINE_ENDED);
    CHECK(strcmp(row(), "") == 0);
}

static void test_history(void) {
    begin();
    CHECK_ENTERED(UP DOWN "first", "first");
    CHECK_ENTERED("second", "second");
    CHECK_ENTERED("second", "second"); /* once in the history */
    CHECK_ENTERED("", "");             /* and this not at all */
    CHECK_ENTERED(UP UP, "first");
    CHECK_ENTERED(UP UP UP UP UP DOWN, "second");
    type("draft" LEFT UP);
    CHECK(strcmp(row(), "second") == 0 && column == 8);
    type(UP "!");
    CHECK(strcmp(row(), "first!") == 0);
    type(DOWN DOWN);
    CHECK(strcmp(row(), "draft") == 0 && column == 7);
    CHECK_ENTERED(UP UP, "first"); /* without the change */
}

/* The history keeps the last LINE_HISTORY - 1 lines. */
static void test_long_history(void) {
    begin();
    char text[20];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "line %d", i);
        CHECK_ENTERED(text, text);
    }
    for (int i = 0; i < 50; i++)
        type(UP);
    snprintf(text, sizeof text, "line %d", 100 - (LINE_HISTORY - 1));
    CHECK(strcmp(row(), text) == 0);
    for (int i = 0; i < 50; i++)
        type(DOWN);
    CHECK(strcmp(row(), "") == 0);
}

static void test_cancel(void) {
    begin();
    type("gone" LEFT);
    CHECK(line_editor_byte(&editor, 3) == LINE_CANCELLED);
    CHECK(lines == 1 && strcmp(row(), "") == 0);
    type(UP);
    CHECK(strcmp(row(), "") == 0);
    CHECK_ENTERED("new", "new");
    type(UP);
    CHECK(line_editor_byte(&editor, 3) == LINE_CANCELLED);
    CHECK_ENTERED(UP, "new");
}

static void test_full(void) {
    begin();
    char text[LINE_SIZE + 10];
    memset(text, 'x', LINE_SIZE - 2);
    strcpy(text + LINE_SIZE - 2, "ü"); /* two bytes where there is room for one */
    type(text);
    type("yz");
    text[LINE_SIZE - 2] = 'y';
    text[LINE_SIZE - 1] = '\0';
    CHECK_ENTERED("", text);
    type(UP);
    CHECK(row()[0] == 'x' && strchr(row(), 'y'));
}

/* ---- Any keys, against a model: an array of characters and a cursor ---- */

static const char *const alphabet[] = {"a", "漢", " ", "ü", "e\u0301", "𝄞", "😀\uFE0F", "-"};
static unsigned model[MAX_LINE];
static size_t model_length, model_cursor;

enum { KEY_LEFT, KEY_RIGHT, KEY_HOME, KEY_END, KEY_BACKSPACE, KEY_DELETE, KEY_CHARACTER };

static void press(unsigned key, unsigned character) {
    static const char *const keys[] = {LEFT, RIGHT, HOME, END, "\b", DELETE};
    type(key < KEY_CHARACTER ? keys[key] : alphabet[character]);
    if (key == KEY_LEFT)
        model_cursor -= model_cursor > 0;
    else if (key == KEY_RIGHT)
        model_cursor += model_cursor < model_length;
    else if (key == KEY_HOME)
        model_cursor = 0;
    else if (key == KEY_END)
        model_cursor = model_length;
    else if (key == KEY_BACKSPACE || key == KEY_DELETE) {
        if (key == KEY_BACKSPACE && model_cursor == 0)
            return;
        model_cursor -= key == KEY_BACKSPACE;
        if (model_cursor < model_length)
            memmove(model + model_cursor, model + model_cursor + 1,
                    (--model_length - model_cursor) * sizeof *model);
    } else {
        memmove(model + model_cursor + 1, model + model_cursor,
                (model_length++ - model_cursor) * sizeof *model);
        model[model_cursor++] = character;
    }
}

static size_t width_of(unsigned character) {
    return character == 1 || character == 6 ? 2 : 1;
}

/* The row is a part of the line; in it, cursor and text agree, and nothing is left of earlier text.
 */
static void check_row(void) {
    size_t before = 0, first = model_cursor;
    while (first > 0 && before < column - 2)
        before += width_of(model[--first]);
    CHECK(before == column - 2 && (before > 0 || model_cursor == 0));
    size_t at = first;
    for (size_t i = 2; i < COLUMNS; i++) {
        size_t width = at < model_length ? width_of(model[at]) : 1;
        if (at < model_length && i + width < COLUMNS) {
            CHECK(strcmp(cells[i], alphabet[model[at++]]) == 0);
            if (width == 2)
                CHECK(cells[++i][0] == '\0');
        } else {
            CHECK(strcmp(cells[i], " ") == 0);
            at = model_length; /* what does not fit ends the row */
        }
    }
}

static void press_any(uint32_t random) {
    unsigned key = random % 32;
    if (key == KEY_HOME || key == KEY_END) /* seldom, so that lines get long */
        key = random / 256 % 8 == 0 ? key : KEY_CHARACTER;
    press(key, random / 32 % 8);
    check_row();
}

/* Through a line longer than the row, character by character; then away with it. */
static void test_long_line(void) {
    static const unsigned keys[] = {KEY_CHARACTER, KEY_LEFT, KEY_RIGHT, KEY_BACKSPACE};
    begin();
    model_length = model_cursor = 0;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        for (unsigned i = 0; i < 250; i++) {
            press(keys[k], i % 8);
            check_row();
        }
    CHECK_ENTERED("", "");
}

static void test_any_keys(void) {
    uint64_t state = 12345;
    for (int round = 0; round < 20; round++) {
        begin();
        model_length = model_cursor = 0;
        for (int i = 0; i < 300; i++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            press_any((uint32_t)(state >> 33));
        }
        char expected[MAX_LINE * 8] = "";
        for (size_t i = 0; i < model_length; i++)
            strcat(expected, alphabet[model[i]]);
        CHECK_ENTERED("", expected);
    }
}

/* Any bytes at all: nothing but what the terminal accepts, and a terminated line. */
static void test_any_bytes(void) {
    uint64_t state = 99;
    any_characters = true;
    begin();
    for (int i = 0; i < 100000; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        uint32_t random = (uint32_t)(state >> 33);
        static const char likely[] = "\033\033[[ABCDHF3~13\b\n";
        unsigned char byte = random % 2 ? (unsigned char)likely[random / 2 % (sizeof likely - 1)]
                                        : (unsigned char)(random >> 8);
        if (line_editor_byte(&editor, byte) == LINE_ENTERED)
            CHECK(strlen(line_editor_take(&editor)) < LINE_SIZE);
    }
}

int main(void) {
    test_keys();
    test_utf8();
    test_wide_and_joining();
    test_end();
    test_history();
    test_long_history();
    test_cancel();
    test_full();
    test_long_line();
    test_any_keys();
    test_any_bytes();
    puts("line editor: passed");
}
