/*
 * VGA text mode, 80x25 (IBM VGA, CRT controller registers 0Eh/0Fh for the cursor). Video memory is
 * slow, above all under emulation, where every access leaves the translated code. So a copy of the
 * screen is kept in RAM, and only what changes is written. What the BIOS left there is read when it
 * first scrolls.
 */
#include "kernel_lib/io/terminal.h"
#include "kernel_lib/io/character_width.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/io/utf8.h"
#include "kernel_lib/runtime.h"

#define COLUMNS 80
#define ROWS 25
#define TAB_WIDTH 8
#define ATTRIBUTE 0x07        /* light grey on black */
#define STATUS_ATTRIBUTE 0x70 /* black on light grey */
#define NO_ASCII 0xFE         /* a small block, for each cell of a character that is not ASCII */
#define BLANK (uint16_t)(ATTRIBUTE << 8 | ' ')

/* Four cells at a time where whole rows move. */
#define CELLS_PER_CHUNK 4
#define CHUNKS_PER_ROW (COLUMNS / CELLS_PER_CHUNK)
#define BLANK_CHUNK (BLANK * 0x0001000100010001ull)

#define CRTC_INDEX 0x3D4
#define CRTC_DATA 0x3D5
#define CRTC_CURSOR_HIGH 0x0E
#define CRTC_CURSOR_LOW 0x0F

union row {
    uint16_t cells[COLUMNS];
    uint64_t chunks[CHUNKS_PER_ROW];
};

static volatile union row *const video = (volatile union row *)0xB8000;
static union row screen[ROWS]; /* a cell of 0 is not known: we never write that */
static unsigned rows = ROWS;   /* without the status line, once there is one */
static unsigned row, column;
static unsigned shown_cursor = UINT32_MAX;

void terminal_start(unsigned first_row) {
    row = first_row < rows ? first_row : rows - 1;
    column = 0;
}

void terminal_init(void) {
    for (unsigned r = 0; r < ROWS; r++)
        for (unsigned c = 0; c < CHUNKS_PER_ROW; c++)
            video[r].chunks[c] = screen[r].chunks[c] = BLANK_CHUNK;
    terminal_start(0);
}

void vga_init(void) {
    terminal_init();
}

/* Four cells as they stand on the screen. */
static uint64_t shown_chunk(unsigned r, unsigned c) {
    for (unsigned i = 0; i < CELLS_PER_CHUNK; i++)
        if (screen[r].cells[c * CELLS_PER_CHUNK + i] == 0)
            return screen[r].chunks[c] = video[r].chunks[c];
    return screen[r].chunks[c];
}

static void scroll(void) {
    for (unsigned r = 0; r < rows; r++)
        for (unsigned c = 0; c < CHUNKS_PER_ROW; c++) {
            uint64_t chunk = r + 1 < rows ? shown_chunk(r + 1, c) : BLANK_CHUNK;
            if (screen[r].chunks[c] != chunk)
                video[r].chunks[c] = screen[r].chunks[c] = chunk;
        }
}

static void new_line(void) {
    column = 0;
    if (row + 1 < rows)
        row++;
    else
        scroll();
}

static void put_cell(unsigned r, unsigned c, uint16_t cell) {
    if (screen[r].cells[c] != cell)
        video[r].cells[c] = screen[r].cells[c] = cell;
}

static void put_shown(uint8_t code) {
    put_cell(row, column, (uint16_t)(ATTRIBUTE << 8 | code));
    if (++column == COLUMNS)
        new_line();
}

/* Writes as many cells as a terminal at the serial line would, so that both show the cursor in the
 * same column. */
static void put_other_character(uint32_t character) {
    unsigned width = character_width(character);
    if (column + width > COLUMNS)
        put_shown(' '); /* a wide character is not divided */
    while (width-- > 0)
        put_shown(NO_ASCII);
}

static void put_character(uint32_t character) {
    switch (character) {
    case '\n':
        new_line();
        break;
    case '\r':
        column = 0;
        break;
    case '\b': /* moves back, over a line's start as well, so that long input can be erased */
        if (column > 0) {
            column--;
        } else if (row > 0) {
            row--;
            column = COLUMNS - 1;
        }
        break;
    case '\t':
        do
            put_character(' ');
        while (column % TAB_WIDTH != 0);
        break;
    default:
        if (character < 0x80)
            put_shown((uint8_t)character);
        else
            put_other_character(character);
    }
}

static void show_cursor(void) {
    unsigned position = row * COLUMNS + column;
    if ((position ^ shown_cursor) & ~0xFFu) {
        outb(CRTC_INDEX, CRTC_CURSOR_HIGH);
        outb(CRTC_DATA, (uint8_t)(position >> 8));
    }
    outb(CRTC_INDEX, CRTC_CURSOR_LOW);
    outb(CRTC_DATA, (uint8_t)position);
    shown_cursor = position;
}

void terminal_write(const char *bytes, size_t size) {
    static struct utf8 utf8;
    for (size_t i = 0; i < size; i += !utf8.again)
        if (utf8_take(&utf8, bytes[i]))
            put_character(utf8.character);
    show_cursor();
}

void terminal_status(const char *text) {
    if (rows == ROWS) {
        if (row == ROWS - 1) {
            scroll();
            row--;
            show_cursor();
        }
        rows = ROWS - 1;
    }
    for (unsigned c = 0; c < COLUMNS; c++)
        put_cell(ROWS - 1, c, (uint16_t)(STATUS_ATTRIBUTE << 8 | (*text ? *text++ : ' ')));
}

void terminal_puts(const char *string) {
    terminal_write(string, strlen(string));
}

void vga_puts(const char *string) {
    terminal_puts(string);
}
