// sources: kernel_lib/storage/nvme_queue.c
/* The test acts as the controller: a queue through many rounds, and one that someone else has
 * used. */
#include "check.h"
#include "kernel_lib/storage/deadline.h"
#include "kernel_lib/storage/nvme_queue.h"
#include <string.h>

#define SUBMISSIONS 5
#define COMPLETIONS 7

static struct nvme_command submission[SUBMISSIONS];
static struct nvme_completion completion[COMPLETIONS];
static uint32_t tail_doorbell, head_doorbell;

/* ---- The controller ---- */

static uint16_t taken, given, phase = 1;
static uint64_t executed[64];
static unsigned executions, failing; /* the failing-th command fails; 0: none */
static bool is_dead;

/* Executes all commands that it can see. It is asked when the driver looks at the clock. */
static void work(void) {
    while (!is_dead && taken != tail_doorbell) {
        const struct nvme_command *command = &submission[taken];
        executed[executions++ % 64] = command->pages[0];
        taken = (taken + 1) % SUBMISSIONS;
        completion[given] = (struct nvme_completion){
            .submission_head = taken,
            .identifier = command->identifier,
            .status = (uint16_t)((executions == failing ? 0x281 << 1 : 0) | phase)};
        given = (given + 1) % COMPLETIONS;
        if (given == 0)
            phase ^= 1;
    }
}

bool deadline_passed(struct deadline *deadline) {
    (void)deadline;
    work();
    return is_dead;
}

/* ---- Tests ---- */

static struct nvme_queue new_queue(void) {
    return (struct nvme_queue){.submission = submission,
                               .completion = completion,
                               .submissions = SUBMISSIONS,
                               .completions = COMPLETIONS,
                               .phase = 1,
                               .tail_doorbell = &tail_doorbell,
                               .head_doorbell = &head_doorbell};
}

static uint64_t number;

static bool run(struct nvme_queue *queue, unsigned count, uint16_t *status) {
    uint64_t first = number;
    unsigned before = executions;
    for (unsigned i = 0; i < count; i++)
        nvme_queue_submit(queue, (struct nvme_command){.pages = {number++}});
    bool done = nvme_queue_finish(queue, count, status);
    for (unsigned i = 0; i < count && !is_dead; i++)
        CHECK(executed[(before + i) % 64] == first + i);
    CHECK(is_dead || (executions == before + count && head_doorbell == given));
    return done;
}

int main(void) {
    struct nvme_queue queue = new_queue(), resumed;
    uint16_t status;
    CHECK(nvme_queue_resume(&queue)); /* not used yet */
    CHECK(queue.tail == 0 && queue.head == 0 && queue.phase == 1);
    for (unsigned round = 0; round < 200; round++) {
        CHECK(run(&queue, 1 + round % (SUBMISSIONS - 1), &status) && status == 0);
        resumed = new_queue();
        CHECK(nvme_queue_resume(&resumed));
        CHECK(resumed.tail == queue.tail && resumed.head == queue.head);
        CHECK(resumed.phase == queue.phase);
        if (round % 3 == 0)
            queue = resumed;
    }
    failing = executions + 2; /* the others end all the same */
    CHECK(!run(&queue, 3, &status) && status == 0x281);
    CHECK(run(&queue, 2, &status));
    completion[0].status = phase; /* damaged: the newest would be another one */
    for (unsigned i = 0; i < COMPLETIONS; i++)
        completion[i].submission_head = SUBMISSIONS;
    CHECK(!nvme_queue_resume(&resumed));
    is_dead = true;
    CHECK(!run(&queue, 1, &status) && status == 0);
}
