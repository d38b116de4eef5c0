#include "ifma.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512ifma")))
#define LANES_NAME(name) ifma_##name
#define MADD_LOW(c, a, b) ((Lanes)_mm512_madd52lo_epu64((__m512i)(c), (__m512i)(a), (__m512i)(b)))
#define MADD_HIGH(c, a, b) ((Lanes)_mm512_madd52hi_epu64((__m512i)(c), (__m512i)(a), (__m512i)(b)))
#include "lanes.h"

int ifma_is_supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512ifma");
}

#else

int ifma_is_supported(void) { return 0; }

// Never called, since nothing is supported; defined so that the program links on every machine.
void ifma_decode(const uint8_t *encodings, size_t count, uint64_t *cached_points, uint8_t *is_valid) { __builtin_trap(); }
void ifma_window_sums(
    const uint64_t *cached_points, const int16_t *digits, size_t count, size_t bucket_count, uint64_t *room,
    uint64_t *sums) { __builtin_trap(); }
void ifma_outer_products(
    const uint64_t *left, size_t left_count, const uint64_t *right, size_t right_count, size_t records,
    uint64_t *right_limbs, uint64_t *sums) { __builtin_trap(); }

#endif
