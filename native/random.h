// Random numbers as TensorFlow's op StatelessRandomUniform draws them.
#pragma once
#include <cstdint>
#include <cstring>

namespace ferkit {

/**
 * Philox with ten rounds: turns a counter and a key into four random numbers.
 *
 * @see Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405
 */
struct Philox {
  uint32_t counter[4], key[2];

  void draw(uint32_t (&result)[4]) const {
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]}, k[2] = {key[0], key[1]};
    for (int round = 0; round < 10; ++round) {
      const uint64_t first = 0xD2511F53ull * c[0], second = 0xCD9E8D57ull * c[2];
      const uint32_t next[4] = {(uint32_t)(second >> 32) ^ c[1] ^ k[0], (uint32_t)second, (uint32_t)(first >> 32) ^ c[3] ^ k[1],
                                (uint32_t)first};
      memcpy(c, next, sizeof c);
      k[0] += 0x9E3779B9;
      k[1] += 0xBB67AE85;
    }
    memcpy(result, c, sizeof c);
  }
};

/** Draws numbers in [0, 1) that depend on the seeds only. */
inline void drawUniform(uint32_t seed, uint32_t secondSeed, int64_t count, float* numbers) {
  Philox random{{seed, 0, secondSeed, 0}, {0x3ec8f720, 0x02461e29}};
  uint32_t bits[4];
  random.draw(bits);
  random = {{0, 0, bits[2], bits[3]}, {bits[0], bits[1]}};
  for (int64_t i = 0; i < count; i += 4) {
    random.draw(bits);
    if (++random.counter[0] == 0) ++random.counter[1];
    for (int64_t j = 0; j < 4 && i + j < count; ++j) {
      // The mantissa of a number in [1, 2).
      const uint32_t number = 0x3f800000 | (bits[j] & 0x7fffff);
      float value;
      memcpy(&value, &number, sizeof value);
      numbers[i + j] = value - 1;
    }
  }
}

}  // namespace ferkit
