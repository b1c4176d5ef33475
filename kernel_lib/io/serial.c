/*
 * What COM1 sends, at 115200 8N1. Nothing here waits for ever: output is lost when there is no
 * UART, or when it no longer sends.
 */
#include "kernel_lib/io/serial.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/io/uart.h"
#include "kernel_lib/runtime.h"

#define FIFO_SIZE 16

/* A real UART sends its 16 bytes in 1.4 ms, but QEMU's stands still while nobody at the other end
 * reads: wait for that reader, 10 s or more, since a port read takes well over 100 ns anywhere. */
#define TRANSMIT_POLLS 100000000

static bool present;
static bool stuck;          /* nothing was sent for so long that we no longer wait */
static unsigned fifo_size;  /* of the transmit FIFO */
static unsigned fifo_space; /* bytes that fit into it for certain */

void serial_init(void) {
    outb(COM1 + UART_SCRATCH, 0xA5);
    present = inb(COM1 + UART_SCRATCH) == 0xA5;
    if (!present)
        return;
    outb(COM1 + UART_INTERRUPT_ENABLE, 0);
    outb(COM1 + UART_LINE_CONTROL, UART_LINE_DIVISOR_LATCH);
    outb(COM1 + UART_DATA, UART_DIVISOR_115200);
    outb(COM1 + UART_INTERRUPT_ENABLE, 0);
    outb(COM1 + UART_LINE_CONTROL, UART_LINE_8N1);
    /* Switching the FIFOs on empties them. A byte that came early would be lost, and if it were
     * read first, the next one, which then comes at once: so they stay off when someone types
     * already. */
    fifo_size = 1;
    if (!(inb(COM1 + UART_LINE_STATUS) & UART_STATUS_DATA_READY)) {
        outb(COM1 + UART_FIFO_CONTROL, UART_FIFO_ENABLE_TRIGGER_1);
        fifo_size = FIFO_SIZE;
    }
    outb(COM1 + UART_MODEM_CONTROL, UART_MODEM_DTR_RTS_OUT2);
}

bool serial_present(void) {
    return present;
}

/* Waits until the line status has this bit, after which the FIFO is empty; false when it stays
 * full. */
static bool wait_transmit(uint8_t bit) {
    unsigned polls = stuck ? 1 : TRANSMIT_POLLS;
    stuck = false;
    while (!(inb(COM1 + UART_LINE_STATUS) & bit))
        if (--polls == 0) {
            stuck = true;
            return false;
        }
    fifo_space = fifo_size;
    return true;
}

static void send(uint8_t byte) {
    if (fifo_space == 0 && !wait_transmit(UART_STATUS_TRANSMIT_EMPTY))
        return;
    outb(COM1 + UART_DATA, byte);
    fifo_space--;
}

void serial_write(const char *bytes, size_t size) {
    for (size_t i = 0; present && i < size; i++) {
        if (bytes[i] == '\n')
            send('\r');
        send((uint8_t)bytes[i]);
    }
}

void serial_puts(const char *string) {
    serial_write(string, strlen(string));
}

void serial_flush(void) {
    if (present)
        wait_transmit(UART_STATUS_TRANSMITTED);
}
