// The arithmetic of ifma.h, written once for a vector of eight lanes. A file that includes this one first defines
//
//   LANES_TARGET            the attribute that lets a function use the instructions, or nothing
//   LANES_NAME(name)        the name of a public function
//   MADD_LOW(c, a, b)       c + the low 52 bits of the product of the low 52 bits of a and b
//   MADD_HIGH(c, a, b)      c + the high 52 bits of that product
//
// so that tests can run the same code on a processor without the instructions.
//
// A field element has five limbs of 51 bits. Factors must have limbs below 2^52, since the instructions read no more
// bits. Sums, differences and products have limbs below 2^51 + 2^15; elements unpacked from words have limbs below
// 2^52.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t Lanes __attribute__((vector_size(64)));
typedef struct { Lanes l[5]; } Field;
typedef struct { Field x, y, z, t; } Point;
typedef struct { Field y_plus_x, y_minus_x, xy2d; } Cached;

#define LANES_INLINE static inline __attribute__((always_inline)) LANES_TARGET
#define MASK51 0x7ffffffffffffULL
#define MASK52 0xfffffffffffffULL

LANES_INLINE Lanes broadcast(uint64_t value) {
    return (Lanes){value, value, value, value, value, value, value, value};
}

LANES_INLINE Field field(uint64_t l0, uint64_t l1, uint64_t l2, uint64_t l3, uint64_t l4) {
    return (Field){{broadcast(l0), broadcast(l1), broadcast(l2), broadcast(l3), broadcast(l4)}};
}

LANES_INLINE Lanes times19(Lanes v) { return (v << 4) + (v << 1) + v; }

// One round of carries on limbs below 2^61.
LANES_INLINE Field carry(Field a) {
    Field r;
    r.l[0] = (a.l[0] & MASK51) + times19(a.l[4] >> 51);
    for (int i = 1; i < 5; i++) r.l[i] = (a.l[i] & MASK51) + (a.l[i - 1] >> 51);
    return r;
}

LANES_INLINE Field add(Field a, Field b) {
    for (int i = 0; i < 5; i++) a.l[i] += b.l[i];
    return carry(a);
}

// Adds 4p, so that no limb borrows.
LANES_INLINE Field subtract(Field a, Field b) {
    a.l[0] += 0x1fffffffffffb4ULL - b.l[0];
    for (int i = 1; i < 5; i++) a.l[i] += 0x1ffffffffffffcULL - b.l[i];
    return carry(a);
}

LANES_INLINE Field negate(Field a) { return subtract(field(0, 0, 0, 0, 0), a); }

// Reduces ten columns of low halves and of high halves. A high half is worth 2^52, two units of the next column.
LANES_INLINE Field reduce_columns(const Lanes low[10], const Lanes high[10]) {
    Field r;
    for (int k = 0; k < 5; k++) {
        Lanes upper = low[k + 5] + (high[k + 5] << 1);
        r.l[k] = low[k] + (high[k] << 1) + times19(upper);
    }
    return carry(r);
}

LANES_INLINE Field multiply(Field a, Field b) {
    Lanes low[10], high[10];
    for (int k = 0; k < 10; k++) low[k] = high[k] = broadcast(0);
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 5; j++) {
            low[i + j] = MADD_LOW(low[i + j], a.l[i], b.l[j]);
            high[i + j + 1] = MADD_HIGH(high[i + j + 1], a.l[i], b.l[j]);
        }
    }
    return reduce_columns(low, high);
}

// Computes products of two different limbs once, and doubles them.
LANES_INLINE Field square(Field a) {
    Lanes low[10], high[10];
    for (int k = 0; k < 10; k++) low[k] = high[k] = broadcast(0);
    for (int i = 0; i < 5; i++) {
        for (int j = i + 1; j < 5; j++) {
            low[i + j] = MADD_LOW(low[i + j], a.l[i], a.l[j]);
            high[i + j + 1] = MADD_HIGH(high[i + j + 1], a.l[i], a.l[j]);
        }
    }
    for (int k = 0; k < 10; k++) {
        low[k] <<= 1;
        high[k] <<= 1;
    }
    for (int i = 0; i < 5; i++) {
        low[2 * i] = MADD_LOW(low[2 * i], a.l[i], a.l[i]);
        high[2 * i + 1] = MADD_HIGH(high[2 * i + 1], a.l[i], a.l[i]);
    }
    return reduce_columns(low, high);
}

// Two elements that undergo the same operations: the processor works on both in parallel, where the steps of one alone
// would have to wait for each other.
typedef struct { Field first, second; } Pair;

static __attribute__((noinline)) LANES_TARGET void square_times(Pair *a, int count) {
    Field first = a->first, second = a->second;
    for (int i = 0; i < count; i++) {
        first = square(first);
        second = square(second);
    }
    *a = (Pair){first, second};
}

static __attribute__((noinline)) LANES_TARGET void multiply_by(Pair *a, const Pair *b) {
    *a = (Pair){multiply(a->first, b->first), multiply(a->second, b->second)};
}

// The 2^252-3rd power, (p-5)/8 of RFC 9496.
static __attribute__((noinline)) LANES_TARGET void power_for_square_root(Pair *a) {
    Pair x = *a, x2 = x, x9, x11, ones5, ones10, ones20, ones40, ones50, ones100, ones200, power;
    square_times(&x2, 1);
    x9 = x2;
    square_times(&x9, 2);
    multiply_by(&x9, &x);
    x11 = x2;
    multiply_by(&x11, &x9);
    ones5 = x11;
    square_times(&ones5, 1);
    multiply_by(&ones5, &x9);
    ones10 = ones5;
    square_times(&ones10, 5);
    multiply_by(&ones10, &ones5);
    ones20 = ones10;
    square_times(&ones20, 10);
    multiply_by(&ones20, &ones10);
    ones40 = ones20;
    square_times(&ones40, 20);
    multiply_by(&ones40, &ones20);
    ones50 = ones40;
    square_times(&ones50, 10);
    multiply_by(&ones50, &ones10);
    ones100 = ones50;
    square_times(&ones100, 50);
    multiply_by(&ones100, &ones50);
    ones200 = ones100;
    square_times(&ones200, 100);
    multiply_by(&ones200, &ones100);
    power = ones200;
    square_times(&power, 50);
    multiply_by(&power, &ones50);
    square_times(&power, 2);
    multiply_by(&power, &x);
    *a = power;
}

// The one representative below p, with limbs of 51 bits.
LANES_INLINE Field canonical(Field a) {
    a = carry(a);
    // Now below 2p: adding 19 carries into bit 255 exactly when the value is at least p.
    Lanes q = (a.l[0] + 19) >> 51;
    for (int i = 1; i < 5; i++) q = (a.l[i] + q) >> 51;
    a.l[0] += times19(q);
    for (int i = 1; i < 5; i++) {
        a.l[i] += a.l[i - 1] >> 51;
        a.l[i - 1] &= MASK51;
    }
    a.l[4] &= MASK51;
    return a;
}

// All ones in the lanes where the element is zero.
LANES_INLINE Lanes is_zero(Field a) {
    a = canonical(a);
    return (Lanes)((a.l[0] | a.l[1] | a.l[2] | a.l[3] | a.l[4]) == 0);
}

// All ones in the lanes where the representative below p is odd.
LANES_INLINE Lanes is_negative(Field a) { return 0 - (canonical(a).l[0] & 1); }

LANES_INLINE Field choose(Lanes mask, Field a, Field b) {
    for (int i = 0; i < 5; i++) a.l[i] = (a.l[i] & mask) | (b.l[i] & ~mask);
    return a;
}

LANES_INLINE Field unpack(Lanes w0, Lanes w1, Lanes w2, Lanes w3) {
    return (Field){{
        w0 & MASK51,
        ((w0 >> 51) | (w1 << 13)) & MASK51,
        ((w1 >> 38) | (w2 << 26)) & MASK51,
        ((w2 >> 25) | (w3 << 39)) & MASK51,
        w3 >> 12,  // one bit more than the others, for values from 2^255 on
    }};
}

// An element reduced below p, as four words.
LANES_INLINE void pack(Field a, Lanes words[4]) {
    a = canonical(a);
    words[0] = a.l[0] | (a.l[1] << 51);
    words[1] = (a.l[1] >> 13) | (a.l[2] << 38);
    words[2] = (a.l[2] >> 26) | (a.l[3] << 25);
    words[3] = (a.l[3] >> 39) | (a.l[4] << 12);
}

// Stores `count` vectors lane by lane, so that each lane's words are adjacent; only the first `lanes` lanes.
LANES_INLINE void store_by_lane(const Lanes *vectors, int count, uint64_t *words, size_t lanes) {
    for (int k = 0; k < count; k++) {
        uint64_t column[8];
        memcpy(column, &vectors[k], sizeof column);
        for (size_t lane = 0; lane < lanes; lane++) words[lane * count + k] = column[lane];
    }
}

// The state of DECODE for eight encodings, on both sides of the exponentiation, which takes nearly all the time.
typedef struct { Field s, u1, u2, v, w, w3, power_base; } Candidate;

// The next eight encodings, beginning at index `from`; lanes past the end, at `count`, repeat the last one.
LANES_INLINE Candidate candidate(const uint8_t *encodings, size_t from, size_t count) {
    Lanes words[4];
    for (int k = 0; k < 4; k++) {
        uint64_t column[8];
        for (size_t lane = 0; lane < 8; lane++) {
            size_t index = from + lane < count ? from + lane : count - 1;
            memcpy(&column[lane], encodings + 32 * index + 8 * k, 8);
        }
        memcpy(&words[k], column, sizeof column);
    }
    const Field one = field(1, 0, 0, 0, 0);
    const Field d = field(0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff);
    Candidate c;
    c.s = unpack(words[0], words[1], words[2], words[3]);
    Field ss = square(c.s);
    c.u1 = subtract(one, ss);
    c.u2 = add(one, ss);
    Field u2_squared = square(c.u2);
    c.v = subtract(negate(multiply(d, square(c.u1))), u2_squared);
    c.w = multiply(c.v, u2_squared);
    c.w3 = multiply(square(c.w), c.w);
    c.power_base = multiply(square(c.w3), c.w);
    return c;
}

// Stores the points of the first `count` lanes, given the result of the exponentiation.
static LANES_TARGET void finish(
    const Candidate *c, const Field *power, size_t count, uint64_t *points, uint8_t *is_valid
) {
    const Field one = field(1, 0, 0, 0, 0);
    const Field twice_d = field(0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff);
    const Field root_of_minus_one =
        field(0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d);
    // Either inverse square root of w will do: its sign cancels in y, and x is made non-negative.
    Field root = multiply(c->w3, *power);
    Field check = multiply(c->w, square(root));
    Lanes is_minus_one = is_zero(add(check, one));
    Lanes is_one = is_zero(subtract(check, one));
    root = choose(is_minus_one, multiply(root, root_of_minus_one), root);
    Field denominator_x = multiply(root, c->u2);
    Field denominator_y = multiply(multiply(root, denominator_x), c->v);
    Field x = multiply(add(c->s, c->s), denominator_x);
    x = choose(is_negative(x), negate(x), x);
    Field y = multiply(c->u1, denominator_y);
    Field t = multiply(x, y);
    Lanes valid = (is_one | is_minus_one) & ~is_negative(t) & ~is_zero(y);

    Lanes packed[12];
    pack(add(y, x), packed);
    pack(subtract(y, x), packed + 4);
    pack(multiply(t, twice_d), packed + 8);
    store_by_lane(packed, 12, points, count);
    uint64_t verdicts[8];
    memcpy(verdicts, &valid, sizeof verdicts);
    for (size_t lane = 0; lane < count; lane++) is_valid[lane] = verdicts[lane] != 0;
}

LANES_TARGET void LANES_NAME(decode)(const uint8_t *encodings, size_t count, uint64_t *points, uint8_t *is_valid) {
    for (size_t from = 0; from < count; from += 16) {
        size_t middle = count - from < 8 ? count : from + 8;
        size_t end = count - from < 16 ? count : from + 16;
        Candidate first = candidate(encodings, from, count), second = candidate(encodings, middle, count);
        Pair power = {first.power_base, second.power_base};
        power_for_square_root(&power);
        finish(&first, &power.first, middle - from, points + 12 * from, is_valid + from);
        finish(&second, &power.second, end - middle, points + 12 * middle, is_valid + middle);
    }
}

// The point represented by (E, F, G, H) in Hisil, Wong, Carter and Dawson (2008).
LANES_INLINE Point completed(Field e, Field f, Field g, Field h) {
    return (Point){multiply(e, f), multiply(g, h), multiply(f, g), multiply(e, h)};
}

LANES_INLINE Point add_cached(Point p, Cached q) {
    Field a = multiply(subtract(p.y, p.x), q.y_minus_x);
    Field b = multiply(add(p.y, p.x), q.y_plus_x);
    Field c = multiply(p.t, q.xy2d);
    Field d = add(p.z, p.z);
    return completed(subtract(b, a), subtract(d, c), add(d, c), add(b, a));
}

static LANES_TARGET void add_point(Point *p, const Point *q) {
    const Field twice_d = field(0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff);
    Field a = multiply(subtract(p->y, p->x), subtract(q->y, q->x));
    Field b = multiply(add(p->y, p->x), add(q->y, q->x));
    Field c = multiply(multiply(p->t, q->t), twice_d);
    Field zz = multiply(p->z, q->z);
    Field d = add(zz, zz);
    *p = completed(subtract(b, a), subtract(d, c), add(d, c), add(b, a));
}

LANES_INLINE Point identity(void) {
    return (Point){field(0, 0, 0, 0, 0), field(1, 0, 0, 0, 0), field(1, 0, 0, 0, 0), field(0, 0, 0, 0, 0)};
}

// A bucket is the 20 adjacent limbs of a point, in three rows of eight words. Each lane has its own buckets 0 ..
// bucket_count, one lane after the other. Rows are read whole and transposed: gathering limb by limb would touch every
// cache line five times.
#define BUCKET_WORDS 24

// Transposes a matrix of eight vectors of eight words.
LANES_INLINE void transpose(Lanes v[8]) {
    Lanes t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        t[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < 8; i += 4) {
        for (int k = i; k < i + 2; k++) {
            u[k] = __builtin_shufflevector(t[k], t[k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            u[k + 2] = __builtin_shufflevector(t[k], t[k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    for (int k = 0; k < 4; k++) {
        v[k] = __builtin_shufflevector(u[k], u[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        v[k + 4] = __builtin_shufflevector(u[k], u[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

// One bucket per lane; `at` is the index of the word at which it begins.
LANES_INLINE Point load_buckets(const uint64_t *buckets, const size_t at[8]) {
    Lanes limbs[BUCKET_WORDS];
    for (int row = 0; row < 3; row++) {
        for (int lane = 0; lane < 8; lane++) memcpy(&limbs[8 * row + lane], buckets + at[lane] + 8 * row, 64);
        transpose(limbs + 8 * row);
    }
    Point p;
    for (int i = 0; i < 5; i++) {
        p.x.l[i] = limbs[i];
        p.y.l[i] = limbs[5 + i];
        p.z.l[i] = limbs[10 + i];
        p.t.l[i] = limbs[15 + i];
    }
    return p;
}

LANES_INLINE void store_buckets(uint64_t *buckets, const size_t at[8], Point p) {
    Lanes limbs[BUCKET_WORDS];
    for (int i = 0; i < 5; i++) {
        limbs[i] = p.x.l[i];
        limbs[5 + i] = p.y.l[i];
        limbs[10 + i] = p.z.l[i];
        limbs[15 + i] = p.t.l[i];
    }
    for (int i = 20; i < BUCKET_WORDS; i++) limbs[i] = broadcast(0);
    for (int row = 0; row < 3; row++) {
        transpose(limbs + 8 * row);
        for (int lane = 0; lane < 8; lane++) memcpy(buckets + at[lane] + 8 * row, &limbs[8 * row + lane], 64);
    }
}

// A cached point in every lane, negated in the lanes of `negative`.
LANES_INLINE Cached broadcast_cached(const uint64_t *w, Lanes negative) {
    Field y_plus_x = unpack(broadcast(w[0]), broadcast(w[1]), broadcast(w[2]), broadcast(w[3]));
    Field y_minus_x = unpack(broadcast(w[4]), broadcast(w[5]), broadcast(w[6]), broadcast(w[7]));
    Field xy2d = unpack(broadcast(w[8]), broadcast(w[9]), broadcast(w[10]), broadcast(w[11]));
    return (Cached){
        choose(negative, y_minus_x, y_plus_x), choose(negative, y_plus_x, y_minus_x),
        choose(negative, negate(xy2d), xy2d)};
}

// In each lane, the sum of each bucket times its position, counted from 1.
static LANES_TARGET void weighted_sum(const uint64_t *buckets, size_t lane_words, size_t bucket_count, Point *sum) {
    Point running = identity();
    *sum = identity();
    for (size_t place = bucket_count; place > 0; place--) {
        size_t at[8];
        for (size_t lane = 0; lane < 8; lane++) at[lane] = lane * lane_words + place * BUCKET_WORDS;
        Point bucket = load_buckets(buckets, at);
        add_point(&running, &bucket);
        add_point(sum, &running);
    }
}

LANES_TARGET void LANES_NAME(window_sums)(
    const uint64_t *points, const int16_t *digits, size_t count, size_t bucket_count, uint64_t *room, uint64_t *sums
) {
    // Align rows to cache lines.
    uint64_t *buckets = room + (8 - (uintptr_t)room / 8 % 8) % 8;
    const size_t lane_words = (bucket_count + 1) * BUCKET_WORDS;
    memset(buckets, 0, 8 * lane_words * sizeof *buckets);
    for (size_t bucket = 0; bucket < 8 * (bucket_count + 1); bucket++) {
        buckets[bucket * BUCKET_WORDS + 5] = 1;
        buckets[bucket * BUCKET_WORDS + 10] = 1;
    }
    for (size_t index = 0; index < count; index++) {
        uint64_t signs[8];
        size_t at[8];
        for (size_t lane = 0; lane < 8; lane++) {
            ptrdiff_t digit = digits[8 * index + lane];
            signs[lane] = digit < 0 ? ~0ULL : 0;
            // Bucket 0 receives the points whose digit is zero in the lane, and is not part of the sum.
            at[lane] = lane * lane_words + (size_t)(digit < 0 ? -digit : digit) * BUCKET_WORDS;
        }
        Lanes negative;
        memcpy(&negative, signs, sizeof signs);
        store_buckets(buckets, at, add_cached(load_buckets(buckets, at), broadcast_cached(points + 12 * index, negative)));
    }
    Point sum;
    weighted_sum(buckets, lane_words, bucket_count, &sum);
    Lanes packed[16];
    pack(sum.x, packed);
    pack(sum.y, packed + 4);
    pack(sum.z, packed + 8);
    pack(sum.t, packed + 12);
    store_by_lane(packed, 16, sums, 8);
}

// A scalar as five limbs of 52 bits.
static inline void scalar_limbs(const uint64_t w[4], uint64_t limbs[5]) {
    limbs[0] = w[0] & MASK52;
    limbs[1] = ((w[0] >> 52) | (w[1] << 12)) & MASK52;
    limbs[2] = ((w[1] >> 40) | (w[2] << 24)) & MASK52;
    limbs[3] = ((w[2] >> 28) | (w[3] << 36)) & MASK52;
    limbs[4] = w[3] >> 16;
}

// For every record, eight right factors, one per lane: limbs[record][limb][lane].
static void fill_right_limbs(const uint64_t *right, size_t lanes, size_t records, uint64_t *right_limbs) {
    memset(right_limbs, 0, records * 40 * sizeof *right_limbs);
    for (size_t lane = 0; lane < lanes; lane++) {
        for (size_t record = 0; record < records; record++) {
            uint64_t limbs[5];
            scalar_limbs(right + 4 * (lane * records + record), limbs);
            for (int i = 0; i < 5; i++) right_limbs[40 * record + 8 * i + lane] = limbs[i];
        }
    }
}

// Converts columns of radix 2^52 to words of 64 bits.
LANES_INLINE void pack_columns(Lanes columns[10], Lanes words[8]) {
    for (int k = 1; k < 10; k++) {
        columns[k] += columns[k - 1] >> 52;
        columns[k - 1] &= MASK52;
    }
    words[0] = columns[0] | (columns[1] << 52);
    words[1] = (columns[1] >> 12) | (columns[2] << 40);
    words[2] = (columns[2] >> 24) | (columns[3] << 28);
    words[3] = (columns[3] >> 36) | (columns[4] << 16);
    words[4] = (columns[4] >> 48) | (columns[5] << 4) | (columns[6] << 56);
    words[5] = (columns[6] >> 8) | (columns[7] << 44);
    words[6] = (columns[7] >> 20) | (columns[8] << 32);
    words[7] = (columns[8] >> 32) | (columns[9] << 20);
}

LANES_TARGET void LANES_NAME(outer_products)(
    const uint64_t *left, size_t left_count, const uint64_t *right, size_t right_count, size_t records,
    uint64_t *right_limbs, uint64_t *sums
) {
    for (size_t first = 0; first < right_count; first += 8) {
        size_t lanes = right_count - first < 8 ? right_count - first : 8;
        fill_right_limbs(right + 4 * first * records, lanes, records, right_limbs);
        for (size_t h = 0; h < left_count; h++) {
            // With ten halves below 2^52 per record and column, 64 records stay below 2^62. Low and high halves are
            // summed in separate columns, so that fewer additions wait for each other.
            Lanes columns[10], upper[10];
            for (int k = 0; k < 10; k++) columns[k] = upper[k] = broadcast(0);
            for (size_t record = 0; record < records; record++) {
                uint64_t limbs[5];
                scalar_limbs(left + 4 * (h * records + record), limbs);
                for (int j = 0; j < 5; j++) {
                    Lanes factor;
                    memcpy(&factor, right_limbs + 40 * record + 8 * j, sizeof factor);
                    for (int i = 0; i < 5; i++) {
                        columns[i + j] = MADD_LOW(columns[i + j], broadcast(limbs[i]), factor);
                        upper[i + j + 1] = MADD_HIGH(upper[i + j + 1], broadcast(limbs[i]), factor);
                    }
                }
            }
            for (int k = 0; k < 10; k++) columns[k] += upper[k];
            Lanes words[8];
            pack_columns(columns, words);
            store_by_lane(words, 8, sums + 8 * (h * right_count + first), lanes);
        }
    }
}
