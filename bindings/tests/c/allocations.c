/* The requests for memory that the calling thread has made, for programs in other languages that are linked with this. */
#include "heap.h"

int64_t allocations(void) { return heap_asked; }
