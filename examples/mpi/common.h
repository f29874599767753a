/* What the MPI examples share beside those in C: failures that end all ranks alike, and the whole field on rank 0. */
#ifndef EXAMPLES_MPI_COMMON_H
#define EXAMPLES_MPI_COMMON_H

#include <pcml_mpi.h>

#include "../c/common.h"

/* Ends the program on all ranks when one of them failed; the rank that has the cause tells it. */
static inline void check_all(int32_t status) {
  const int32_t of_all = pcml_mpi_agree(MPI_COMM_WORLD, status);
  if (of_all == PCML_STATUS_OK)
    return;
  char text[512];
  pcml_error_message(text, sizeof text, NULL);
  if (status == of_all)
    fprintf(stderr, "%s: %s\n", pcml_status_name(status), text);
  MPI_Finalize();
  exit(1);
}

/* The values of all ranks, in the order of the ranks, on rank 0. */
static inline void gather(const double *own, int count, double *whole, int ranks) {
  int *counts = (int *)calloc(2 * (size_t)ranks, sizeof(int)), *starts = counts + ranks;
  MPI_Gather(&count, 1, MPI_INT, counts, 1, MPI_INT, 0, MPI_COMM_WORLD);
  for (int k = 1; k < ranks; k++)
    starts[k] = starts[k - 1] + counts[k - 1];
  MPI_Gatherv(own, count, MPI_DOUBLE, whole, counts, starts, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  free(counts);
}

#endif
