#include "emulated_lanes.h"

// Vectors are passed only between inlined functions, so their calling convention does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define LANES_TARGET
#define LANES_NAME(name) emulated_##name
#define MADD_LOW(c, a, b) multiply_add(c, a, b, 0)
#define MADD_HIGH(c, a, b) multiply_add(c, a, b, 52)

typedef uint64_t Vector __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) Vector multiply_add(Vector c, Vector a, Vector b, int shift) {
    const uint64_t mask = 0xfffffffffffff;
    for (int lane = 0; lane < 8; lane++) {
        unsigned __int128 product = (unsigned __int128)(a[lane] & mask) * (b[lane] & mask);
        c[lane] += (uint64_t)(product >> shift) & mask;
    }
    return c;
}

#include "../../Sources/CIFMA/lanes.h"
