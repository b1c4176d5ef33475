#include "nvme_controller.h"
#include "deadline.h"
#include "disk_error.h"
#include "kernel_lib/runtime.h"
#include "pci_disk.h"

#define BAR_NVME 0

/* 3.1: the controller's registers, as indices of 32-bit words. */
#define CAPABILITIES (0x00 / 4) /* two words */
#define CAPABILITY_QUEUE_LIMIT(low) ((low) & 0xFFFF)
#define CAPABILITY_TIMEOUT(low) ((low) >> 24) /* in 500 ms */
#define CAPABILITY_STRIDE(high) ((high) & 0xF)
#define CAPABILITY_LEAST_PAGE(high) ((high) >> 16 & 0xF)
#define CONFIGURATION (0x14 / 4)
#define CONFIGURATION_ENABLE 1u
#define CONFIGURATION_ENTRIES (6u << 16 | 4u << 20) /* of 64 and 16 bytes */
#define STATUS (0x1C / 4)
#define STATUS_READY 1u
#define STATUS_FATAL 2u
#define ADMIN_SIZES (0x24 / 4)
#define ADMIN_SUBMISSION (0x28 / 4) /* two words */
#define ADMIN_COMPLETION (0x30 / 4) /* two words */
#define REGISTERS 0x1000u
#define DOORBELLS_SIZE(stride) (4u * (4u << (stride))) /* two for each pair of queues */

/* Chapter 5 */
#define ADMIN_CREATE_SUBMISSION 0x01
#define ADMIN_CREATE_COMPLETION 0x05
#define QUEUE_CONTIGUOUS 1u
#define ADMIN_SET_FEATURES 0x09
#define FEATURE_QUEUES 0x07

#define STATUS_CODE 0x7FF /* with its type, in a completion's status */
#define ENTRIES 16        /* of each of our queues */
_Static_assert(NVME_MOST_COMMANDS < ENTRIES, "room in the queue");

static void set_up(struct nvme_controller *controller, struct nvme_queue *queue, unsigned number) {
    unsigned stride = 1u << CAPABILITY_STRIDE(controller->registers[CAPABILITIES + 1]);
    volatile uint32_t *doorbells = controller->registers + REGISTERS / 4;
    *queue = (struct nvme_queue){
        .submission = controller->memory->submission[number],
        .completion = controller->memory->completion[number],
        .tail_doorbell = doorbells + 2 * number * stride,
        .head_doorbell = doorbells + (2 * number + 1) * stride,
        .submissions = ENTRIES,
        .completions = ENTRIES,
        .phase = 1,
    };
    memset(queue->completion, 0, NVME_PAGE);
}

/* Maps the controller's registers, and allocates what it reads and writes. */
static bool reach(struct nvme_controller *controller, pci_function function) {
    controller->registers = pci_map(function, BAR_NVME, 0, REGISTERS);
    if (!controller->memory)
        controller->memory = aligned_alloc(NVME_PAGE, sizeof *controller->memory);
    return controller->memory && controller->registers &&
           pci_map(function, BAR_NVME, REGISTERS,
                   DOORBELLS_SIZE(CAPABILITY_STRIDE(controller->registers[CAPABILITIES + 1])));
}

bool nvme_failed(const char *action, uint64_t lba, uint16_t status, struct error *error) {
    return status ? disk_refuses(NVME_NAME, action, lba, status & STATUS_CODE, error)
                  : disk_is_silent(NVME_NAME, action, error);
}

bool nvme_administer(struct nvme_controller *controller, const char *action,
                     struct nvme_command command, struct error *error) {
    uint16_t status;
    nvme_queue_submit(&controller->admin, command);
    return nvme_queue_finish(&controller->admin, 1, &status) ||
           nvme_failed(action, NO_SECTOR, status, error);
}

/* Waits until the controller is ready, or not: as long as it says that it may take, at least. */
static bool wait_ready(const struct nvme_controller *controller, uint32_t ready) {
    uint32_t limit =
        CAPABILITY_TIMEOUT(controller->registers[CAPABILITIES]) / (2 * DEADLINE_SECONDS) + 1;
    for (uint32_t i = 0; i < limit; i++) {
        struct deadline deadline = {0};
        do {
            uint32_t status = controller->registers[STATUS];
            if (ready && (status & STATUS_FATAL))
                return false;
            if ((status & STATUS_READY) == ready)
                return true;
        } while (!deadline_passed(&deadline));
    }
    return false;
}

static uint64_t read_address(const struct nvme_controller *controller, unsigned reg) {
    return controller->registers[reg] | (uint64_t)controller->registers[reg + 1] << 32;
}

static void set_address(struct nvme_controller *controller, unsigned reg, const void *address) {
    controller->registers[reg] = (uint32_t)(uintptr_t)address;
    controller->registers[reg + 1] = (uint32_t)((uint64_t)(uintptr_t)address >> 32);
}

/* 7.6.1: the controller from a reset on, until it takes reads and writes. */
bool nvme_controller_start(struct nvme_controller *controller, struct error *error) {
    /* Registers of a controller that was removed read as ones, or as zeros. */
    uint32_t capabilities = controller->registers[CAPABILITIES];
    controller->registers[CONFIGURATION] = 0;
    if (capabilities == PCI_NOTHING || capabilities == 0 || !wait_ready(controller, 0))
        return disk_is_gone(NVME_NAME, error);
    set_up(controller, &controller->admin, 0);
    set_up(controller, &controller->io, 1);
    controller->registers[ADMIN_SIZES] = (ENTRIES - 1) << 16 | (ENTRIES - 1);
    set_address(controller, ADMIN_SUBMISSION, controller->admin.submission);
    set_address(controller, ADMIN_COMPLETION, controller->admin.completion);
    controller->registers[CONFIGURATION] = CONFIGURATION_ENTRIES | CONFIGURATION_ENABLE;
    if (!wait_ready(controller, STATUS_READY))
        return error_set(error, "The NVMe disk cannot be started.");
    /* Numbers of queues and entries count from 0 in these arguments. */
    return nvme_administer(
               controller, "set the number of queues",
               (struct nvme_command){.opcode = ADMIN_SET_FEATURES, .arguments = {FEATURE_QUEUES}},
               error) &&
           nvme_administer(
               controller, "make a queue",
               (struct nvme_command){.opcode = ADMIN_CREATE_COMPLETION,
                                     .pages = {(uintptr_t)controller->io.completion},
                                     .arguments = {(ENTRIES - 1) << 16 | 1, QUEUE_CONTIGUOUS}},
               error) &&
           nvme_administer(controller, "make a queue",
                           (struct nvme_command){
                               .opcode = ADMIN_CREATE_SUBMISSION,
                               .pages = {(uintptr_t)controller->io.submission},
                               .arguments = {(ENTRIES - 1) << 16 | 1, 1u << 16 | QUEUE_CONTIGUOUS}},
                           error);
}

bool nvme_controller_borrow(struct nvme_controller *controller, pci_function function) {
    if (!reach(controller, function) ||
        (controller->registers[STATUS] & (STATUS_READY | STATUS_FATAL)) != STATUS_READY)
        return false;
    set_up(controller, &controller->admin, 0);
    controller->admin.submissions = (uint16_t)((controller->registers[ADMIN_SIZES] & 0xFFF) + 1);
    controller->admin.completions =
        (uint16_t)((controller->registers[ADMIN_SIZES] >> 16 & 0xFFF) + 1);
    controller->admin.submission = (struct nvme_command *)pci_disk_memory(
        read_address(controller, ADMIN_SUBMISSION),
        controller->admin.submissions * sizeof *controller->admin.submission);
    controller->admin.completion = (struct nvme_completion *)pci_disk_memory(
        read_address(controller, ADMIN_COMPLETION),
        controller->admin.completions * sizeof *controller->admin.completion);
    if (!controller->admin.submission || !controller->admin.completion)
        return false;
    return nvme_queue_resume(&controller->admin);
}

bool nvme_controller_is_usable(const struct nvme_controller *controller, struct error *error) {
    return (CAPABILITY_QUEUE_LIMIT(controller->registers[CAPABILITIES]) >= ENTRIES - 1 &&
            CAPABILITY_LEAST_PAGE(controller->registers[CAPABILITIES + 1]) == 0) ||
           error_set(error, "The NVMe disk's queues are too short, or its pages too large.");
}
