#include "power_session.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/runtime.h"

/* Memory that neither BIOS nor loader nor kernel uses (docs/boot-and-memory.md). A BIOS that clears
 * it at a restart makes that look as if power had been off. */
#define NOTE ((struct note *)0x4F00)

struct note {
    uint64_t session;
    uint32_t crc; /* of the session and MAGIC */
};
#define MAGIC "power on"

static uint64_t session;
static bool is_old;

static uint32_t checksum(uint64_t number) {
    return crc32_update(crc32_update(0, MAGIC, sizeof MAGIC), &number, sizeof number);
}

uint64_t power_session(void) {
    if (session == 0) {
        struct note note = *NOTE;
        is_old = note.session != 0 && note.crc == checksum(note.session);
        session = is_old ? note.session : cpu_rdtsc() | 1;
        *NOTE = (struct note){.session = session, .crc = checksum(session)};
    }
    return session;
}

bool power_session_is_old(void) {
    power_session();
    return is_old;
}
