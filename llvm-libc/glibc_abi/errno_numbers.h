/* Linux's error numbers, which LLVM's archives were compiled with (asm-generic/errno-base.h). */
#pragma once

#undef EBADF
#undef ENOMEM
#undef EACCES
#undef ESPIPE
#define EBADF 9
#define ENOMEM 12
#define EACCES 13
#define ESPIPE 29
