#include "page.h"

// Debian's runtime for 128-bit division is compiled with guards of its stack frames. Return addresses are not in memory
// in WebAssembly, so that nobody guards anything else.
uintptr_t __stack_chk_guard = 0x00000aff;

void __stack_chk_fail(void) { __builtin_trap(); }
