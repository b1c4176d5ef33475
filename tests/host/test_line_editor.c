// sources: tinyllama/dialogue/line_editor.c kernel_lib/io/utf8.c kernel_lib/io/character_width.c
/* The line editor: what is entered, and what the terminal shows meanwhile. */
#include "line_editor_terminal.h"

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

int main(void) {
    test_keys();
    test_utf8();
    test_wide_and_joining();
    test_end();
    test_history();
    test_long_history();
    test_cancel();
    test_full();
    puts("line editor: passed");
}
