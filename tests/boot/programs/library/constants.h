/* Mathematics of arguments that the compiler knows, next to that of others. */
#pragma once

/* Prints which calls give other bits when their arguments are constants, and nothing if there are
 * none. */
void constants(void);
