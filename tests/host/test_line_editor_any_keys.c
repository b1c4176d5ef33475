// sources: tinyllama/dialogue/line_editor.c kernel_lib/io/utf8.c kernel_lib/io/character_width.c
/* The line editor with any keys, against a model: an array of characters and a cursor. */
#include "chance.h"
#include "line_editor_terminal.h"
#include <stdint.h>

enum { MAX_LINE = 2000 };
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

/* The row is a part of the line. In it, cursor and text agree, and no earlier text is left. */
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
        for (int i = 0; i < 300; i++)
            press_any((uint32_t)(chance_next_64(&state) >> 33));
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
        uint32_t random = (uint32_t)(chance_next_64(&state) >> 33);
        static const char likely[] = "\033\033[[ABCDHF3~13\b\n";
        unsigned char byte = random % 2 ? (unsigned char)likely[random / 2 % (sizeof likely - 1)]
                                        : (unsigned char)(random >> 8);
        if (line_editor_byte(&editor, byte) == LINE_ENTERED)
            CHECK(strlen(line_editor_take(&editor)) < LINE_SIZE);
    }
}

int main(void) {
    test_long_line();
    test_any_keys();
    test_any_bytes();
    puts("line editor, any keys: passed");
}
