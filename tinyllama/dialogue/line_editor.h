/*
 * A line of text being typed: editing keys, history, and the redrawing. Pure: bytes in, bytes out.
 *
 * The line is shown in one row; of a longer line, the part around the cursor. Only characters, "\b"
 * and "\n" are written: a serial terminal of at least 80 columns and the screen then have the
 * cursor at the same column. Characters take as many columns as character_width says; those that
 * take none go with the one before.
 */
#pragma once
#include "kernel_lib/io/utf8.h"
#include <stdbool.h>
#include <stddef.h>

#define LINE_SIZE 1024  /* bytes of a line, with its terminating zero */
#define LINE_HISTORY 16 /* lines, with the one that is being typed */
#define LINE_PROMPT 2   /* columns of what the caller writes before the line, at most */

struct line_editor {
    void (*write)(const char *bytes, size_t size); /* to the console */
    char lines[LINE_HISTORY][LINE_SIZE];           /* a ring; what is typed lies at newest */
    size_t newest, oldest;                         /* numbers of lines, modulo LINE_HISTORY */
    size_t recalled;                               /* the line of the history that is shown */
    char text[LINE_SIZE];                          /* as it is now; not terminated */
    size_t length, cursor;                         /* bytes */
    size_t first;                                  /* offset of the first byte shown */
    size_t column, columns;                        /* of the cursor on the screen; shown in all */
    struct utf8 utf8;                              /* a character, so far */
    enum { KEY_PLAIN, KEY_ESCAPE, KEY_SEQUENCE } state; /* within an escape sequence? */
    unsigned parameter;                                 /* its first number */
};

enum line_event {
    LINE_TYPING,    /* goes on */
    LINE_ENTERED,   /* the line is complete: line_editor_take */
    LINE_CANCELLED, /* Ctrl-C: what was typed is gone */
    LINE_ENDED,     /* Ctrl-D on an empty line: the end of the input */
};

/* An editor without history. The structure is large: better not on the stack. */
void line_editor_init(struct line_editor *editor, void (*write)(const char *bytes, size_t size));

/*
 * Takes a byte as console_getchar gives it. Understood are Backspace, Delete, Left, Right, Home,
 * End, Up and Down (the history), Ctrl-A (begin), Ctrl-E (end), Ctrl-U (erase), Ctrl-C, Ctrl-D
 * (Delete, and on an empty line the end) and Enter. A character that does not fit, is not UTF-8 or
 * is a control character is not taken.
 */
enum line_event line_editor_byte(struct line_editor *editor, unsigned char byte);

/* After LINE_ENTERED: the line, terminated, which is in the history from now on unless it is empty
 * or the same as the line before. Valid until the next byte. */
const char *line_editor_take(struct line_editor *editor);
