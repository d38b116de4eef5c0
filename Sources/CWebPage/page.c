#include "page.h"

#include <stdlib.h>
#include <unistd.h>

// Debian's runtime for 128-bit division is compiled with guards of its stack frames. Return addresses are not in memory
// in WebAssembly, so that nobody guards anything else.
uintptr_t __stack_chk_guard = 0x00000aff;

void __stack_chk_fail(void) { __builtin_trap(); }

// libsodium takes its random bytes from these two. wasi-libc's draw 32 bytes once, and stretch them; here each comes from
// the browser, so that nothing in this memory tells what will be drawn.
void arc4random_buf(void *bytes, size_t count) {
    while (count > 0) {
        const size_t next = count < 256 ? count : 256;  // as much as getentropy gives at once
        if (getentropy(bytes, next) != 0) __builtin_trap();
        bytes = (uint8_t *) bytes + next;
        count -= next;
    }
}

uint32_t arc4random(void) {
    uint32_t drawn;
    arc4random_buf(&drawn, sizeof drawn);
    return drawn;
}
