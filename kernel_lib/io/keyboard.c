/*
 * PS/2 keyboard behind the 8042 controller, scan code set 1 (IBM PS/2 Hardware
 * Interface Technical Reference, Keyboard), US layout. The controller stays as
 * the BIOS set it up, because int 16h works with just what we need (interrupt
 * on, translation to set 1 on), and a reset takes up to half a second.
 */
#include "kernel_lib/io/keyboard.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/interrupts.h"
#include "kernel_lib/cpu/pic.h"
#include "kernel_lib/io/byte_ring.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/runtime.h"

#define DATA 0x60
#define STATUS 0x64
#define STATUS_OUTPUT_FULL 0x01 /* a byte waits for us */
#define STATUS_FROM_MOUSE 0x20

#define CONTROL_C 3

#define PREFIX_EXTENDED 0xE0
#define PREFIX_PAUSE 0xE1
#define PAUSE_BYTES 2 /* that follow the prefix */
#define RELEASED 0x80

#define KEY_CONTROL 0x1D
#define KEY_LEFT_SHIFT 0x2A
#define KEY_RIGHT_SHIFT 0x36
#define KEY_CAPS_LOCK 0x3A
#define KEY_SLASH 0x35
#define KEY_ENTER 0x1C
#define KEY_HOME 0x47 /* the first of the block that moves the cursor */
#define KEY_DELETE 0x53

/* Scan code to character. The keypad gives digits, as with Num Lock on. */
static const char plain[] = "\0\033"
                            "1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 \0"
                            "\0\0\0\0\0\0\0\0\0\0\0\0"
                            "789-456+1230.";
static const char shifted[] = "\0\033"
                              "!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 \0"
                              "\0\0\0\0\0\0\0\0\0\0\0\0"
                              "789-456+1230.";
_Static_assert(sizeof plain == sizeof shifted && sizeof plain == 0x53 + 2, "last key is 53h");

/* The extended keys from Home to Delete: what ends the sequence that a terminal sends for the key
 * (ECMA-48, CUU and others; xterm, "PC-Style Function Keys"). 0: the key is ignored. */
static const char moving[] = "HA\0\0D\0C\0FB\0\0003";
_Static_assert(sizeof moving == KEY_DELETE - KEY_HOME + 2, "one for each key");

static struct byte_ring typed;
static bool left_shift, right_shift, control, caps_lock, extended;
static unsigned skip;

/* Ctrl-C must not be lost when nobody reads. It cancels what was typed before it, so in a full ring
 * it replaces the last key. */
static void put(uint8_t character) {
    if (character == CONTROL_C && byte_ring_full(&typed))
        byte_ring_replace_last(&typed, character);
    else
        byte_ring_put(&typed, character);
}

/* The character that a pressed key gives with the modifiers as they are; 0 if none. */
static char translate(uint8_t key) {
    if (key >= sizeof plain - 1)
        return 0;
    char character = plain[key];
    bool letter = character >= 'a' && character <= 'z';
    if (control)
        return letter ? (char)(character & 0x1F) : 0;
    bool shift = left_shift || right_shift;
    return shift != (letter && caps_lock) ? shifted[key] : character;
}

/* An extended key has been pressed. Of those with a character there are two. */
static void extended_key(uint8_t key) {
    if (key == KEY_ENTER || key == KEY_SLASH) {
        byte_ring_put(&typed, (uint8_t)plain[key]);
    } else if (key >= KEY_HOME && key <= KEY_DELETE && moving[key - KEY_HOME]) {
        byte_ring_put(&typed, '\033');
        byte_ring_put(&typed, '[');
        byte_ring_put(&typed, (uint8_t)moving[key - KEY_HOME]);
        if (key == KEY_DELETE)
            byte_ring_put(&typed, '~');
    }
}

static void key_event(uint8_t code) {
    if (skip > 0) {
        skip--;
        return;
    }
    if (code == PREFIX_PAUSE) {
        skip = PAUSE_BYTES;
        return;
    }
    if (code == PREFIX_EXTENDED) {
        extended = true;
        return;
    }
    bool pressed = !(code & RELEASED);
    bool was_extended = extended;
    uint8_t key = code & (uint8_t)~RELEASED;
    extended = false;
    if (key == KEY_CONTROL) {
        control = pressed;
        return;
    }
    if (was_extended) { /* E0 2A and E0 36 are no shift keys */
        if (pressed)
            extended_key(key);
        return;
    }
    if (key == KEY_LEFT_SHIFT) {
        left_shift = pressed;
    } else if (key == KEY_RIGHT_SHIFT) {
        right_shift = pressed;
    } else if (key == KEY_CAPS_LOCK) {
        caps_lock ^= pressed;
    } else if (pressed) {
        char character = translate(key);
        if (character)
            put((uint8_t)character);
    }
}

/* The interrupt's handler: takes what the controller holds. Bounded, because a missing controller
 * reads as FFh, "full" for ever. */
static void receive(void) {
    for (unsigned i = 0; i < 16; i++) {
        uint8_t status = inb(STATUS);
        if (!(status & STATUS_OUTPUT_FULL))
            return;
        uint8_t code = inb(DATA);
        if (!(status & STATUS_FROM_MOUSE))
            key_event(code);
    }
}

void keyboard_start(void) {
    receive(); /* a byte that waits already would hold up the next one's interrupt */
    irq_install(IRQ_KEYBOARD, receive);
}

int keyboard_read(void) {
    return byte_ring_get(&typed);
}

int keyboard_getchar(void) {
    for (;;) {
        cpu_interrupts_off();
        int character = keyboard_read();
        if (character >= 0) {
            cpu_interrupts_on();
            return character;
        }
        cpu_wait_for_interrupt();
    }
}
