#include "nvme_queue.h"
#include "deadline.h"

#define PHASE 1 /* in status */

bool nvme_queue_resume(struct nvme_queue *queue) {
    /* The newest completions begin at the start and have its phase, up to where they end. */
    uint16_t phase = queue->completion[0].status & PHASE;
    uint16_t end = 1;
    while (end < queue->completions && (queue->completion[end].status & PHASE) == phase)
        end++;
    queue->tail = queue->completion[end - 1].submission_head;
    queue->phase = end == queue->completions ? phase ^ PHASE : phase;
    queue->head = end % queue->completions;
    return queue->tail < queue->submissions;
}

void nvme_queue_submit(struct nvme_queue *queue, struct nvme_command command) {
    command.identifier = queue->tail;
    queue->submission[queue->tail] = command;
    queue->tail = (queue->tail + 1) % queue->submissions;
}

bool nvme_queue_finish(struct nvme_queue *queue, unsigned count, uint16_t *status) {
    struct deadline deadline = {0};
    *status = 0;
    __asm__ volatile("" : : : "memory"); /* commands first, then the doorbell */
    *queue->tail_doorbell = queue->tail;
    while (count > 0) {
        uint16_t now = queue->completion[queue->head].status;
        if ((now & PHASE) != queue->phase) {
            if (!deadline_passed(&deadline))
                continue;
            *status = 0;
            return false;
        }
        if (now >> 1)
            *status = now >> 1;
        queue->head = (queue->head + 1) % queue->completions;
        if (queue->head == 0)
            queue->phase ^= PHASE;
        count--;
    }
    __asm__ volatile("" : : : "memory"); /* what the commands have read is there from here on */
    *queue->head_doorbell = queue->head;
    return *status == 0;
}
