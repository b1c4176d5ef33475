/*
 * A ring of bytes between one producer (an interrupt handler) and one consumer
 * (the program). Each index has one writer, so neither side needs a lock.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define BYTE_RING_SIZE 256

struct byte_ring {
    volatile uint8_t head, tail; /* next byte to write, next to read; both wrap at 256 */
    uint8_t bytes[BYTE_RING_SIZE];
};

static inline bool byte_ring_full(const struct byte_ring *ring) {
    return (uint8_t)(ring->head + 1) == ring->tail;
}

/* Adds a byte; it is lost when the ring is full. */
static inline void byte_ring_put(struct byte_ring *ring, uint8_t byte) {
    if (byte_ring_full(ring))
        return;
    ring->bytes[ring->head] = byte;
    __asm__ volatile("" ::: "memory"); /* the byte before the index that publishes it */
    ring->head = (uint8_t)(ring->head + 1);
}

/* Replaces the newest byte of a full ring. The consumer does not reach that one before it has taken
 * all others. */
static inline void byte_ring_replace_last(struct byte_ring *ring, uint8_t byte) {
    ring->bytes[(uint8_t)(ring->head - 1)] = byte;
}

/* Takes the oldest byte; -1 when the ring is empty. */
static inline int byte_ring_get(struct byte_ring *ring) {
    if (ring->head == ring->tail)
        return -1;
    __asm__ volatile("" ::: "memory");
    uint8_t byte = ring->bytes[ring->tail];
    ring->tail = (uint8_t)(ring->tail + 1);
    return byte;
}
