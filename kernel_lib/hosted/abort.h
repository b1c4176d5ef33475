/* What abort and a failed assert are for ordinary programs. */
#pragma once

/* Raises SIGABRT; if its handler returns, or there is none, panics. */
_Noreturn void program_abort(void);
/* Says what does not hold, and aborts. */
_Noreturn void program_assertion_failed(const char *condition, const char *file, unsigned line,
                                        const char *function);
