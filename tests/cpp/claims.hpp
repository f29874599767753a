/* What the C++ tests share: claims that are counted, numbers that are no pattern. */
#ifndef CLAIMS_HPP
#define CLAIMS_HPP

#include <cstdio>
#include <cstring>
#include <vector>

#include <pcml.hpp>

inline int failures = 0;

#define CLAIM(holds)                                                             \
  do {                                                                           \
    if (!(holds)) {                                                              \
      std::fprintf(stderr, "%s:%d does not hold: %s\n", __FILE__, __LINE__, #holds); \
      failures++;                                                                \
    }                                                                            \
  } while (false)

/** Values in (0.1, 1.1), other ones for each seed. */
inline std::vector<double> numbers(std::size_t count, unsigned seed) {
  std::vector<double> values(count);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (double &value : values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = 0.1 + static_cast<double>(state >> 11) / 9007199254740992.0;
  }
  return values;
}

inline bool same_bits(const std::vector<double> &a, const std::vector<double> &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

#endif
