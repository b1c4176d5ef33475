/*
 * The first serial port, a 16550 UART (National Semiconductor PC16550D data sheet).
 */
#pragma once

#define COM1 0x3F8

/* Registers, as distances from the port. */
#define UART_DATA 0             /* receive and transmit; divisor low with DLAB */
#define UART_INTERRUPT_ENABLE 1 /* divisor high with DLAB */
#define UART_FIFO_CONTROL 2
#define UART_LINE_CONTROL 3
#define UART_MODEM_CONTROL 4
#define UART_LINE_STATUS 5
#define UART_SCRATCH 7

#define UART_ENABLE_RECEIVED 0x01
#define UART_FIFO_ENABLE_TRIGGER_1 0x01
#define UART_LINE_8N1 0x03
#define UART_LINE_DIVISOR_LATCH 0x80
#define UART_MODEM_DTR_RTS_OUT2 0x0B /* OUT2 connects the UART's interrupt to the PIC */
#define UART_STATUS_DATA_READY 0x01
#define UART_STATUS_TRANSMIT_EMPTY 0x20 /* the FIFO is empty */
#define UART_STATUS_TRANSMITTED 0x40    /* the last byte is on the line as well */
#define UART_DIVISOR_115200 1
