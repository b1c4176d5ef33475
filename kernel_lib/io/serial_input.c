/* What COM1 receives. */
#include "kernel_lib/cpu/interrupts.h"
#include "kernel_lib/cpu/pic.h"
#include "kernel_lib/io/byte_ring.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/io/serial.h"
#include "kernel_lib/io/uart.h"
#include "kernel_lib/runtime.h"

static bool by_interrupt;
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

void serial_receive_by_interrupt(void) {
    if (!serial_present())
        return;
    by_interrupt = true;
    irq_install(IRQ_COM1, receive);
    outb(COM1 + UART_INTERRUPT_ENABLE, UART_ENABLE_RECEIVED);
}

int serial_read(void) {
    if (!serial_present())
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
