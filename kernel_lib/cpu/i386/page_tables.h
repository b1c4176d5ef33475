/* PAE paging (Intel SDM vol. 3, 4.4). */
#pragma once

#define PAGING_LEVELS 3
#define PAGING_TOP_ENTRY_FLAGS ENTRY_PRESENT /* writing is for the levels below to allow */

/* No address from here on can be mapped where it is. The last page below 4 GiB is not used either,
 * so that what follows the last byte has an address. */
#define MEMORY_END ((1ull << 32) - 4096)
