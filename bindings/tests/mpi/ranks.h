/* What the test programs share: a field whose cells belong to ranks in turn, in runs or in odd shares. */
#ifndef TESTS_MPI_RANKS_H
#define TESTS_MPI_RANKS_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcml_mpi.h>

enum { CELLS = 300 };

static int rank, ranks;

static inline void start(int *argc, char ***argv) {
  MPI_Init(argc, argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
}

/* A defect of the test, not what it tests. */
static inline void must(int32_t status) {
  if (status != PCML_STATUS_OK) {
    char text[512];
    pcml_error_message(text, sizeof text, NULL);
    fprintf(stderr, "rank %d: %s: %s\n", rank, pcml_status_name(status), text);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

/* Whose a cell is: in turn, in equal runs, or all but one cell a rank on the last rank. */
static inline int owner(int split, int cell) {
  switch (split) {
  case 0:
    return cell % ranks;
  case 1:
    return cell * ranks / CELLS;
  default:
    return cell < ranks - 1 ? cell : ranks - 1;
  }
}

/* A number in (0, 1) of a cell and a salt. */
static inline double number(int cell, int salt) {
  return (1 + (cell * 7919 + salt * 104729) % 1009) / 1024.0;
}

static inline pcml_const_array input(const void *data, int32_t dtype, int64_t count) {
  pcml_const_array a = {sizeof a, data, dtype, 1, {count}, {1}};
  return a;
}

static inline pcml_array output(void *data, int32_t dtype, int64_t count) {
  pcml_array a = {sizeof a, data, dtype, 1, {count}, {1}};
  return a;
}

#endif
