// The functions of ifma.h, compiled from the same source but with the 52-bit multiply-add computed lane by lane, so
// that they can be tested on any processor.
#ifndef ROUNDROBIN_EMULATED_LANES_H
#define ROUNDROBIN_EMULATED_LANES_H

#include <stddef.h>
#include <stdint.h>

void emulated_decode(const uint8_t *encodings, size_t count, uint64_t *cached_points, uint8_t *is_valid);

void emulated_window_sums(
    const uint64_t *cached_points, const int16_t *digits, size_t count, size_t bucket_count, uint64_t *room,
    uint64_t *sums);

void emulated_outer_products(
    const uint64_t *left, size_t left_count, const uint64_t *right, size_t right_count, size_t records,
    uint64_t *right_limbs, uint64_t *sums);

#endif
