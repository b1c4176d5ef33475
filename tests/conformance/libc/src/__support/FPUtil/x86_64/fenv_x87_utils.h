/*
 * In place of LLVM-libc's header, whose functions are inline assembly, which `full` does not take.
 * The tests and their framework get the x87 unit's state by the functions of C that programs have.
 */
#pragma once

#include "src/__support/FPUtil/x86_64/fenv_x86_common.h"
#include "src/__support/macros/config.h"
#include <fenv.h>
#include <string.h>

namespace LIBC_NAMESPACE_DECL {
namespace fputil {
namespace x87 {

using internal::ExceptionFlags;
using internal::RoundingControl;
using internal::X87StateDescriptor;

inline void get_x87_state_descriptor(X87StateDescriptor &state) {
    fenv_t all;
    fegetenv(&all);
    memcpy(&state, &all, sizeof state);
}

inline void write_x87_state_descriptor(const X87StateDescriptor &state) {
    fenv_t all;
    fegetenv(&all);
    memcpy(&all, &state, sizeof state);
    fesetenv(&all);
}

/* Also MXCSR, which is initialised next wherever this is called. */
inline void initialize_x87_state() {
    fesetenv(FE_DFL_ENV);
}

inline uint16_t test_except(uint16_t excepts) {
    X87StateDescriptor state;
    get_x87_state_descriptor(state);
    return state.status_word & excepts;
}

/* Clears these flags, and sets those. */
inline void change_except(uint16_t cleared, uint16_t set) {
    X87StateDescriptor state;
    get_x87_state_descriptor(state);
    state.status_word = static_cast<uint16_t>((state.status_word & ~cleared) | set);
    write_x87_state_descriptor(state);
}

inline void clear_except(uint16_t excepts) {
    change_except(excepts, 0);
}

inline void set_except(uint16_t excepts) {
    change_except(ExceptionFlags::ALL_F, excepts);
}

/* Those exceptions that are not masked. */
inline uint16_t get_except() {
    X87StateDescriptor state;
    get_x87_state_descriptor(state);
    return ~state.control_word & ExceptionFlags::ALL_F;
}

/* Clears these bits of the control word, and sets those; returns get_except() of before. */
inline uint16_t change_control(uint16_t cleared, uint16_t set) {
    X87StateDescriptor state;
    get_x87_state_descriptor(state);
    uint16_t before = ~state.control_word & ExceptionFlags::ALL_F;
    state.control_word = static_cast<uint16_t>((state.control_word & ~cleared) | set);
    write_x87_state_descriptor(state);
    return before;
}

inline uint16_t enable_except(uint16_t excepts) {
    return change_control(excepts, 0);
}

inline uint16_t disable_except(uint16_t excepts) {
    return change_control(0, excepts);
}

inline void set_round(uint16_t mode) {
    change_control(RoundingControl::X87_ROUNDING_MASK,
                   static_cast<uint16_t>(mode << RoundingControl::X87_BIT_POSITION));
}

} // namespace x87
} // namespace fputil
} // namespace LIBC_NAMESPACE_DECL
