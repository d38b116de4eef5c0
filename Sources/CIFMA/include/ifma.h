// Variable-time arithmetic for public data, eight lanes at a time, with the 52-bit multiply-add of AVX-512 IFMA.
//
// Field elements and scalars are passed as four little-endian 64-bit words. A cached point is 12 words: y + x, y - x,
// 2dxy; a point is 16 words: X, Y, Z, T. The other functions may be called only if ifma_is_supported() returns 1.
#ifndef ROUNDROBIN_IFMA_H
#define ROUNDROBIN_IFMA_H

#include <stddef.h>
#include <stdint.h>

// Lanes of a vector.
#define IFMA_LANES 8

// 1 when this processor and its operating system can run the functions below.
int ifma_is_supported(void);

// Decodes `count` encodings (32 bytes each, already known to be canonical field elements) to cached points: DECODE of
// RFC 9496 section 4.3.1 from step 4 on. `is_valid` gets 1 or 0 for each; the point of an invalid encoding has no
// meaning.
void ifma_decode(const uint8_t *encodings, size_t count, uint64_t *cached_points, uint8_t *is_valid);

// Pippenger's method for eight windows at once. `digits` holds eight signed digits for each point, at most
// `bucket_count` in absolute value. `sums` gets eight points: for each window, the sum of digit times point. `room`,
// for the buckets, has 8 * (bucket_count + 1) * 24 + 8 words.
void ifma_window_sums(
    const uint64_t *cached_points, const int16_t *digits, size_t count, size_t bucket_count, uint64_t *room,
    uint64_t *sums);

// Sums of products of scalars: sums[h * right_count + l] = sum over r of left[h * records + r] * right[l * records +
// r], as eight words each. Takes at most 64 records, of scalars below 2^253. `right_limbs` has room for 8 * 5 * records
// words.
void ifma_outer_products(
    const uint64_t *left, size_t left_count, const uint64_t *right, size_t right_count, size_t records,
    uint64_t *right_limbs, uint64_t *sums);

#endif
