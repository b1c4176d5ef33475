/*
 * COM1 as a 16550 UART (National Semiconductor PC16550D data sheet), 115200
 * 8N1. Nothing here waits for ever: without a UART, or with one that no longer
 * sends, output is dropped.
 */
#include "kernel_lib/io/serial.h"
#include "kernel_lib/cpu/interrupts.h"
#include "kernel_lib/io/byte_ring.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/runtime.h"

#define COM1 0x3F8
#define COM1_IRQ 4

#define DATA (COM1 + 0)             /* receive and transmit; divisor low with DLAB */
#define INTERRUPT_ENABLE (COM1 + 1) /* divisor high with DLAB */
#define FIFO_CONTROL (COM1 + 2)
#define LINE_CONTROL (COM1 + 3)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS (COM1 + 5)
#define SCRATCH (COM1 + 7)

#define ENABLE_RECEIVED 0x01
#define FIFO_ENABLE_TRIGGER_1 0x01
#define LINE_8N1 0x03
#define LINE_DIVISOR_LATCH 0x80
#define MODEM_DTR_RTS_OUT2 0x0B /* OUT2 connects the UART's interrupt to the PIC */
#define STATUS_DATA_READY 0x01
#define STATUS_TRANSMIT_EMPTY 0x20 /* the FIFO is empty */
#define STATUS_TRANSMITTED 0x40    /* the last byte is on the line as well */
#define DIVISOR_115200 1
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
    while (inb(LINE_STATUS) & STATUS_DATA_READY) {
        if (byte_ring_full(&received)) {
            outb(INTERRUPT_ENABLE, 0);
            return;
        }
        byte_ring_put(&received, inb(DATA));
    }
}

void serial_init(void) {
    outb(SCRATCH, 0xA5);
    present = inb(SCRATCH) == 0xA5;
    if (!present)
        return;
    outb(INTERRUPT_ENABLE, 0);
    outb(LINE_CONTROL, LINE_DIVISOR_LATCH);
    outb(DATA, DIVISOR_115200);
    outb(INTERRUPT_ENABLE, 0);
    outb(LINE_CONTROL, LINE_8N1);
    /* Switching the FIFOs on empties them. A byte that came early would be lost, and if it were
     * read first, the next one, which then comes at once: so they stay off when someone types
     * already. */
    fifo_size = 1;
    if (!(inb(LINE_STATUS) & STATUS_DATA_READY)) {
        outb(FIFO_CONTROL, FIFO_ENABLE_TRIGGER_1);
        fifo_size = FIFO_SIZE;
    }
    outb(MODEM_CONTROL, MODEM_DTR_RTS_OUT2);
}

void serial_receive_by_interrupt(void) {
    if (!present)
        return;
    by_interrupt = true;
    irq_install(COM1_IRQ, receive);
    outb(INTERRUPT_ENABLE, ENABLE_RECEIVED);
}

/* Waits until the line status has this bit, after which the FIFO is empty; false when it stays
 * full. */
static bool wait_transmit(uint8_t bit) {
    unsigned polls = stuck ? 1 : TRANSMIT_POLLS;
    stuck = false;
    while (!(inb(LINE_STATUS) & bit))
        if (--polls == 0) {
            stuck = true;
            return false;
        }
    fifo_space = fifo_size;
    return true;
}

static void send(uint8_t byte) {
    if (fifo_space == 0 && !wait_transmit(STATUS_TRANSMIT_EMPTY))
        return;
    outb(DATA, byte);
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
        wait_transmit(STATUS_TRANSMITTED);
}

int serial_read(void) {
    if (!present)
        return -1;
    bool was_full = byte_ring_full(&received);
    if (!by_interrupt)
        receive();
    int byte = byte_ring_get(&received);
    if (was_full && by_interrupt)
        outb(INTERRUPT_ENABLE, ENABLE_RECEIVED); /* interrupts at once if bytes wait */
    return byte;
}
