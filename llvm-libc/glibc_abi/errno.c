/* errno's address under glibc's name. */

int *__llvm_libc_errno(void);
int *__errno_location(void);
int *__errno_location(void) {
    return __llvm_libc_errno();
}
