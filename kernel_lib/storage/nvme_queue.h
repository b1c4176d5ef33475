/*
 * A pair of NVMe queues: "NVM Express Base Specification", revision 1.4, chapter 4. Commands are
 * put into the one, and their completions are awaited in the other.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* 4.2 */
struct nvme_command {
    uint8_t opcode, flags;
    uint16_t identifier;
    uint32_t name_space;
    uint64_t reserved, metadata;
    uint64_t pages[2];
    uint32_t arguments[6];
};
_Static_assert(sizeof(struct nvme_command) == 64, "submission queue entry");

/* 4.6 */
struct nvme_completion {
    uint32_t result, reserved;
    uint16_t submission_head, submission_queue, identifier;
    volatile uint16_t status; /* bit 0: the phase, which is another one each time round */
};
_Static_assert(sizeof(struct nvme_completion) == 16, "completion queue entry");

struct nvme_queue {
    struct nvme_command *submission;
    struct nvme_completion *completion;
    uint16_t submissions, completions; /* how many entries there are */
    uint16_t tail, head;               /* where the next command, the next completion will be */
    uint16_t phase;                    /* of the next completion */
    volatile uint32_t *tail_doorbell, *head_doorbell;
};

/* Finds out where a queue stands that someone else has used and left idle, from its completions:
 * sets tail, head and phase. False if that cannot be. */
bool nvme_queue_resume(struct nvme_queue *queue);

/* Puts a command into the queue, which must have room; the controller does not see it yet. */
void nvme_queue_submit(struct nvme_queue *queue, struct nvme_command command);

/* Lets the controller see the commands, and waits until all count of them have ended. False if one
 * has failed: *status is its status; or if they do not end before a deadline: *status is 0. */
bool nvme_queue_finish(struct nvme_queue *queue, unsigned count, uint16_t *status);
