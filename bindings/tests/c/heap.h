/* The heap as one program sees it: every block that it, or the library, takes and gives back is counted; the k-th request of the calling
   thread of at least so many bytes can be refused, or all such from then on. With WITHOUT_HEAP, for valgrind and sanitizers that bring a heap of their own, nothing is counted. */
#ifndef TESTS_HEAP_H
#define TESTS_HEAP_H

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

_Atomic long heap_blocks;
_Thread_local long heap_fuse = -1, heap_asked, heap_refused;
_Thread_local int heap_stays;
_Thread_local size_t heap_least;

#ifdef WITHOUT_HEAP
enum { HEAP_COUNTED = 0 };
#else
enum { HEAP_COUNTED = 1 };

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

/* Whether this request is to be refused: heap_fuse requests are served before; negative: all. */
static int heap_refuses(size_t size) {
  heap_asked++;
  if (size < heap_least)
    return 0;
  if (heap_fuse < 0 || heap_fuse > 0) {
    heap_fuse -= heap_fuse > 0;
    return 0;
  }
  heap_fuse -= !heap_stays;
  heap_refused++;
  errno = ENOMEM;
  return 1;
}

static void *heap_taken(void *block) {
  if (block)
    atomic_fetch_add_explicit(&heap_blocks, 1, memory_order_relaxed);
  return block;
}

void *malloc(size_t size) { return heap_refuses(size) ? NULL : heap_taken(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return heap_refuses(count * size) ? NULL : heap_taken(__libc_calloc(count, size)); }

void *realloc(void *old, size_t size) {
  if (heap_refuses(size))
    return NULL;
  void *block = __libc_realloc(old, size);
  if (!old)
    heap_taken(block);
  else if (!size && !block)
    atomic_fetch_sub_explicit(&heap_blocks, 1, memory_order_relaxed);
  return block;
}

void *memalign(size_t alignment, size_t size) { return heap_refuses(size) ? NULL : heap_taken(__libc_memalign(alignment, size)); }

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **to, size_t alignment, size_t size) {
  void *block = memalign(alignment, size);
  if (!block)
    return ENOMEM;
  *to = block;
  return 0;
}

void free(void *block) {
  if (block)
    atomic_fetch_sub_explicit(&heap_blocks, 1, memory_order_relaxed);
  __libc_free(block);
}
#endif

#endif
