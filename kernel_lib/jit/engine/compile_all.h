/*
 * Coverage by construction: what a run happens to compile depends on the machine's speed, but the
 * application's functions, the levels and the codegen options are all known.
 */
#pragma once
#include "kernel_lib/jit/engine/engine.h"
#include "kernel_lib/jit/settings.h"

namespace jit {

/* As the settings say, makes every function's code on every level with all codegen options, general
 * and with clones for frequent argument values, links it and throws it away; or only that with
 * clones; or just gives up in the two ways that there are, as it does first in each case. Says
 * how far it is in events "compile_all". For when the application has ended. */
void compile_all(Engine &engine, const struct jit_settings &settings);

} // namespace jit
