/* Prints name, size and offsets of the public structs, for comparison with the library's own. */
#include <stddef.h>
#include <stdio.h>

#include <pcml.h>

#define DESCRIBE(t)                                                                                              \
  printf("%s %zu %zu %zu %zu %zu %zu %zu\n", #t, sizeof(t), offsetof(t, struct_size), offsetof(t, data),         \
         offsetof(t, dtype), offsetof(t, rank), offsetof(t, shape), offsetof(t, strides))

int main(void) {
  DESCRIBE(pcml_array);
  DESCRIBE(pcml_const_array);
  return 0;
}
