// For the programs that run on any Linux: Debian's static libstdc++ calls arc4random for std::random_device, and glibc
// has it only since 2.36. Nothing in these programs draws from a std::random_device; if something did, it would get the
// kernel's random bytes.
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

uint32_t arc4random(void) {
    uint32_t number;
    if (getentropy(&number, sizeof number) != 0) { abort(); }
    return number;
}
