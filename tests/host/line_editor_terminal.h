/* A line editor on a terminal of 80 columns that knows no more than the screen does. */
#pragma once
#include "check.h"
#include "kernel_lib/io/character_width.h"
#include "kernel_lib/io/utf8.h"
#include "tinyllama/dialogue/line_editor.h"
#include <stdbool.h>
#include <string.h>

enum { COLUMNS = 80 };
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

/* ---- The terminal: one row, characters by their bytes ---- */

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

/* ---- The editor ---- */

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
