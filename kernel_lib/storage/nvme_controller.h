/*
 * An NVMe controller: "NVM Express Base Specification", revision 1.4. One pair of queues for
 * administration and one for input and output, polled.
 */
#pragma once
#include "kernel_lib/pci/pci.h"
#include "nvme_queue.h"

#define NVME_NAME "NVMe disk"
#define NVME_PAGE 4096u
#define NVME_MOST_COMMANDS 8 /* in a queue at once */

/* What the controller reads and writes, page by page. */
struct nvme_memory {
    _Alignas(NVME_PAGE) struct nvme_command submission[2][NVME_PAGE / sizeof(struct nvme_command)];
    struct nvme_completion completion[2][NVME_PAGE / sizeof(struct nvme_completion)];
    uint64_t lists[NVME_MOST_COMMANDS][NVME_PAGE / sizeof(uint64_t)]; /* of pages of data */
    uint8_t answer[NVME_PAGE];
};

struct nvme_controller {
    volatile uint32_t *registers;
    struct nvme_memory *memory; /* allocated once */
    struct nvme_queue admin, io;
};

/* Maps the controller's registers and takes the BIOS's queue for administration, as the BIOS has
 * left it; it needs it no more. False if the BIOS has not started the controller. */
bool nvme_controller_borrow(struct nvme_controller *controller, pci_function function);

/* Whether the controller can do what the driver needs; it has been borrowed. */
bool nvme_controller_is_usable(const struct nvme_controller *controller, struct error *error);

/* Resets the controller and starts it with queues of our own. */
bool nvme_controller_start(struct nvme_controller *controller, struct error *error);

/* One command for administration; action is for errors: what the disk "cannot". */
bool nvme_administer(struct nvme_controller *controller, const char *action,
                     struct nvme_command command, struct error *error);

/* What the status of nvme_queue_finish says; false always. */
bool nvme_failed(const char *action, uint64_t lba, uint16_t status, struct error *error);
