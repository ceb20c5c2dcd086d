// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC
// 2011), section 3.3, eight rounds of ten: what all blocks of a key share is done on the host.
//
// The counter is [block, step << 8 | purpose, generation, individual]. Only its first word differs
// between the blocks of a key, so after two rounds all else is known beforehand: `Start`. The round
// keys come from the seed alone. The Rust twin is `Stream` in ../tables/stream.rs.
#pragma once

const unsigned int PHILOX_M0 = 0xD2511F53u;
const unsigned int PHILOX_M1 = 0xCD9E8D57u;
const unsigned int PHILOX_W0 = 0x9E3779B9u;
const unsigned int PHILOX_W1 = 0xBB67AE85u;

// What the first two rounds make of a key without its blocks.
struct alignas(16) Start {
    unsigned int w[4];
};

// Two words for each of rounds 2 to 9.
struct RoundKeys {
    unsigned int w[16];
};

// A key.
struct Stream {
    Start start;
    RoundKeys rounds;
};

struct Words {
    unsigned int w[4];
};

__device__ __forceinline__ unsigned long long wide_product(unsigned int a, unsigned int b) {
    return static_cast<unsigned long long>(a) * b;
}

__device__ __forceinline__ unsigned int high(unsigned long long product) {
    return static_cast<unsigned int>(product >> 32);
}

__device__ __forceinline__ unsigned int low(unsigned long long product) {
    return static_cast<unsigned int>(product);
}

// The four words of a block. `product` is PHILOX_M0 * block, which many keys can share.
__device__ __forceinline__ Words philox(
    unsigned long long product, const Start& start, const RoundKeys& rounds) {
    const unsigned long long other = wide_product(PHILOX_M1, high(product) ^ start.w[0]);
    unsigned int c0 = high(other) ^ start.w[1];
    unsigned int c1 = low(other);
    unsigned int c2 = low(product) ^ start.w[2];
    unsigned int c3 = start.w[3];
#pragma unroll
    for (int r = 0; r < 16; r += 2) {
        const unsigned long long p0 = wide_product(PHILOX_M0, c0);
        const unsigned long long p1 = wide_product(PHILOX_M1, c2);
        c0 = high(p1) ^ c1 ^ rounds.w[r];
        c1 = low(p1);
        c2 = high(p0) ^ c3 ^ rounds.w[r + 1];
        c3 = low(p0);
    }
    return {{c0, c1, c2, c3}};
}

// The round keys of a seed, given those of round 2.
__device__ __forceinline__ RoundKeys rounds_from(unsigned int k0, unsigned int k1) {
    RoundKeys rounds;
#pragma unroll
    for (int r = 0; r < 16; r += 2) {
        rounds.w[r] = k0;
        rounds.w[r + 1] = k1;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    return rounds;
}

// A word as a number in [0, 1): its upper 24 bits, exact in 32-bit floating point.
__device__ __forceinline__ float unit(unsigned int word) {
    return __fmul_rn(__int2float_rn(static_cast<int>(word >> 8)), 1.0f / 16777216.0f);
}
