/* 4-level paging (Intel SDM vol. 3, 4.5). */
#pragma once

#define PAGING_LEVELS 4
#define PAGING_TOP_ENTRY_FLAGS (ENTRY_PRESENT | ENTRY_WRITE)

#define MEMORY_END (1ull << 47) /* no address from here on can be mapped where it is */
