/*
 * COM1 at 115200 8N1. Nothing here waits for ever: output is lost when there is no UART, or when it
 * no longer sends.
 */
#include "kernel_lib/io/serial.h"
#include "kernel_lib/cpu/interrupts.h"
#include "kernel_lib/cpu/pic.h"
#include "kernel_lib/io/byte_ring.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/io/uart.h"
#include "kernel_lib/runtime.h"

#define FIFO_SIZE 16

/* A real UART sends its 16 bytes in 1.4 ms, but QEMU's stands still while nobody at the other end
 * reads: wait for that reader, 10 s or more, since a port read takes well over 100 ns anywhere. */
#define TRANSMIT_POLLS 100000000

static bool present;
static bool by_interrupt;
static bool stuck;          /* nothing was sent for so long that we no longer wait */
static unsigned fifo_size;  /* of the transmit FIFO */
static unsigned fifo_space; /* bytes that fit into it for certain */
static struct byte_ring received;

/* Moves what the UART holds into the ring. When the ring is full the UART is left alone and stops
 * interrupting: QEMU then holds back what the host sends, and nothing is lost. */
static void receive(void) {
    while (inb(COM1 + UART_LINE_STATUS) & UART_STATUS_DATA_READY) {
        if (byte_ring_full(&received)) {
            outb(COM1 + UART_INTERRUPT_ENABLE, 0);
            return;
        }
        byte_ring_put(&received, inb(COM1 + UART_DATA));
    }
}

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

void serial_receive_by_interrupt(void) {
    if (!present)
        return;
    by_interrupt = true;
    irq_install(IRQ_COM1, receive);
    outb(COM1 + UART_INTERRUPT_ENABLE, UART_ENABLE_RECEIVED);
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

int serial_read(void) {
    if (!present)
        return -1;
    bool was_full = byte_ring_full(&received);
    if (!by_interrupt)
        receive();
    int byte = byte_ring_get(&received);
    if (was_full && by_interrupt)
        /* Interrupts at once if bytes wait. */
        outb(COM1 + UART_INTERRUPT_ENABLE, UART_ENABLE_RECEIVED);
    return byte;
}
