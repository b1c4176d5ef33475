// sources:
/* The PS/2 keyboard's ring: a Ctrl-C is seen behind any number of keys that nobody has read. */
#include "check.h"
#include "fake_ports.h"

static const uint8_t *codes; /* what the controller holds, ended by a 0 */

static uint8_t fake_inb(uint16_t port) {
    return port == 0x64 ? *codes != 0 : *codes++;
}

#include "kernel_lib/io/keyboard.c"

void irq_install(unsigned irq, void (*handler)(void)) {
    (void)irq, (void)handler;
}

static void press(uint8_t code) {
    codes = (const uint8_t[]){code, 0};
    receive();
}

int main(void) {
    enum { KEY_A = 0x1E, KEY_C = 0x2E, CONTROL = 0x1D };
    for (int i = 0; i < 300; i++)
        press(KEY_A);
    press(CONTROL);
    press(KEY_C);
    press(CONTROL | 0x80);
    press(KEY_A);
    int size = 0, last = 0;
    for (int byte; (byte = keyboard_read()) >= 0; size++) {
        CHECK(byte == 'a' || byte == 3);
        last = byte;
    }
    CHECK(size == BYTE_RING_SIZE - 1 && last == 3);
    press(KEY_C);
    CHECK(keyboard_read() == 'c' && keyboard_read() < 0);
    puts("keyboard: passed");
}
