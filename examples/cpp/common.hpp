// What the examples share: claims, and the bits of results by which programs in several languages are compared.
#ifndef EXAMPLES_COMMON_HPP
#define EXAMPLES_COMMON_HPP

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>

#include <pcml.hpp>

inline int failures = 0;

inline void claim(bool holds, const char *what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    failures++;
  }
}

// For each value: rotate left by one, then exclusive or.
template <class Field> void mix(std::uint64_t &bits, const Field &u) {
  for (const double &value : u) {
    std::uint64_t integer;
    std::memcpy(&integer, &value, sizeof integer);
    bits = (bits << 1 | bits >> 63) ^ integer;
  }
}

// Runs an example that takes the path of a model; its exit status.
template <class Story> int tell(int argc, char **argv, Story &&story) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s <model.safetensors>\n", argv[0]);
    return 2;
  }
  try {
    const std::uint64_t bits = story(argv[1]);
    std::printf("bits %016llX\n", static_cast<unsigned long long>(bits));
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return failures != 0;
}

#endif
