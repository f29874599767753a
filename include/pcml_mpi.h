/* The host's sum over the ranks of an MPI communicator, for the calls of pcml.h that take a pcml_reduction. Header only: the library
 * itself has no MPI in it, and any MPI (2.2 or newer) that the host is compiled with serves.
 *
 *     pcml_reduction *ranks = NULL;
 *     int32_t status = pcml_mpi_agree(comm, pcml_mpi_reduction_create(comm, &ranks));
 *     if (status == PCML_STATUS_OK)
 *       status = pcml_part_project(projector, workspace, ranks, &mean, &variance, &b, NULL, NULL, &posterior, NULL, report);
 *     pcml_reduction_free(ranks);
 *
 * The communicator. It stays the host's and must outlive the reduction. It is used as it is, not duplicated, so MPI's rule for
 * collectives holds: all ranks make the same calls in the same order, one thread of a rank at a time. Threads that project at the same
 * time need a communicator and a reduction each (MPI_Comm_dup, MPI_THREAD_MULTIPLE). A call that is given a reduction communicates on
 * the thread that makes it, so MPI_THREAD_FUNNELED is enough where that is the main thread.
 *
 * Failure. Arguments and values that a rank's call refuses become the status of all ranks within the call (pcml_part_project,
 * pcml_operator_part_predict, pcml_sum). What fails on one rank outside of such a call (creating objects, loading a model, the first
 * half of a call in steps) becomes the status of all by pcml_mpi_agree. A failure of MPI itself goes to the communicator's error
 * handler. MPI_ERRORS_ARE_FATAL, the default, ends the job. With MPI_ERRORS_RETURN the rank where MPI fails gets
 * PCML_STATUS_REDUCTION while others may still wait for it in the collective; what MPI allows then is, in general, MPI_Abort. */
#ifndef PCML_MPI_H
#define PCML_MPI_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include <mpi.h>

#include "pcml.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Replaces integers by their sums over all ranks of a communicator: what is between two steps of pcml_part_begin and
 * pcml_part_continue, or of pcml_operator_part_begin and pcml_operator_part_continue, and between pcml_sum_bins and pcml_sum_round.
 * Collective, one MPI_Allreduce for each 2^31 - 1 values.
 *
 * @param comm    the communicator
 * @param values  `count` integers, replaced in place
 * @param count   how many, the same on all ranks; none for 0
 * @return 0, or the error of MPI
 *
 * Threads: as MPI allows for collectives of `comm`. Allocation: MPI's.
 */
static inline int32_t pcml_mpi_sum(MPI_Comm comm, int64_t *values, int64_t count) {
  while (count > 0) {
    const int some = count < INT_MAX ? (int)count : INT_MAX;
    const int error = MPI_Allreduce(MPI_IN_PLACE, values, some, MPI_INT64_T, MPI_SUM, comm);
    if (error != MPI_SUCCESS)
      return error;
    values += some;
    count -= some;
  }
  return 0;
}

/**
 * The function that a reduction over ranks calls: pcml_mpi_sum for the communicator whose Fortran handle is the context itself, so that
 * nobody has to keep memory for it.
 */
static inline int32_t pcml_mpi_sum_in_context(void *context, int64_t *values, int64_t count) {
  return pcml_mpi_sum(MPI_Comm_f2c((MPI_Fint)(intptr_t)context), values, count);
}

/**
 * Creates a reduction over the ranks of a communicator. Not collective; pcml_mpi_agree tells all ranks whether all have one, without
 * which ranks that do would wait for those that do not.
 *
 * @param comm       stays the host's, is not duplicated, and must outlive the reduction
 * @param reduction  receives the object, NULL on failure; to be freed with pcml_reduction_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT when reduction is NULL or comm is MPI_COMM_NULL
 *
 * Threads: any, as MPI allows. Allocation: the object.
 */
static inline int32_t pcml_mpi_reduction_create(MPI_Comm comm, pcml_reduction **reduction) {
  int32_t (*const sum)(void *, int64_t *, int64_t) = comm == MPI_COMM_NULL ? NULL : pcml_mpi_sum_in_context;
  return pcml_reduction_create(sum, comm == MPI_COMM_NULL ? NULL : (void *)(intptr_t)MPI_Comm_c2f(comm), reduction);
}

/**
 * The status of all ranks: 0 where all have 0, else the least of those that are not, as in the calls that reduce. To be called by all
 * ranks with the status of what each did on its own, before a call in which a rank that failed would be waited for. Collective, one
 * MPI_Allreduce of one integer.
 *
 * The text of pcml_error_message is that of the failure on the rank that has it; on the others it is of an earlier call.
 *
 * @param comm    the communicator
 * @param status  this rank's, a number of enum pcml_status
 * @return the status of all, the same on all ranks; PCML_STATUS_REDUCTION when MPI failed
 *
 * Threads: as MPI allows for collectives of `comm`. Allocation: MPI's.
 */
static inline int32_t pcml_mpi_agree(MPI_Comm comm, int32_t status) {
  int32_t least = status == PCML_STATUS_OK ? INT32_MAX : status;
  if (MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_INT32_T, MPI_MIN, comm) != MPI_SUCCESS)
    return PCML_STATUS_REDUCTION;
  return least == INT32_MAX ? (int32_t)PCML_STATUS_OK : least;
}

#ifdef __cplusplus
}
#endif

#endif
