! Bad calls have a status and a text, and leave their arguments as they were.
program errors
  use pcml
  use testing
  implicit none
  type(pcml_model) :: model, unloaded
  type(pcml_plan) :: plan
  type(pcml_projector) :: projector, none
  type(pcml_workspace) :: workspace, bounded
  type(pcml_report) :: report
  real(c_double), target :: mean(2, 8), b(2), u(2, 8), wrong(3, 7)
  real(c_double) :: value
  integer :: stat
  character(len=200) :: errmsg
  character(len=8) :: short

  call model%load("no such file", stat, errmsg)
  call expect(stat == PCML_STATUS_IO .and. index(errmsg, "no such file") > 0, "a missing file: " // trim(errmsg))
  call model%load("no such file", stat=stat, errmsg=short)
  call expect(len_trim(short) == 8, "a text is cut where it does not fit")
  call model%load("", stat, errmsg)
  call expect(stat /= 0 .and. errmsg /= "", "a file without a name: " // trim(errmsg))
  call plan%create(unloaded, PCML_DTYPE_F64, stat=stat, errmsg=errmsg)
  call expect(stat == PCML_STATUS_NULL_ARGUMENT, "a model that was not loaded: " // trim(errmsg))

  call make_sum_projector(8, 2, projector, workspace, bounded)
  mean = 1
  b = 3
  u = -7
  errmsg = "untouched"
  call projector%project(workspace, wrong, b, u, stat=stat)
  call expect(stat == PCML_STATUS_SHAPE, "a wrong shape")
  call projector%project(workspace, pcml_in(mean), pcml_in(b), pcml_out(wrong(1, :)), stat=stat)
  call expect(stat == PCML_STATUS_SHAPE, "a wrong rank")
  call projector%project(workspace, mean(:, 2:1), b, u, stat=stat, errmsg=errmsg)
  call expect(stat /= 0, "an empty section: " // trim(errmsg))
  call projector%project(workspace, mean, b, mean(2:1:-1, :), stat=stat, errmsg=errmsg)
  call expect(stat == PCML_STATUS_STRIDE, "output over input: " // trim(errmsg))
  call projector%project(workspace, mean, b, u(:, :7), stat=stat)
  call expect(stat == PCML_STATUS_SHAPE, "a shape that does not fit")
  b(2) = huge(b)
  b(2) = b(2) * 2
  call projector%project(workspace, mean, b, u, stat=stat, errmsg=errmsg)
  call expect(stat == PCML_STATUS_NON_FINITE .and. all(same(u, -7.0_c_double)), "infinity: " // trim(errmsg))
  b(2) = 3
  call projector%project(bounded, mean, b, u, stat=stat)
  call expect(stat == PCML_STATUS_MISMATCH, "a workspace for other calls")
  call none%project(workspace, mean, b, u, stat=stat)
  call expect(stat == PCML_STATUS_NULL_ARGUMENT, "a projector that was not made")
  errmsg = "untouched"
  call projector%project(workspace, mean, b, u, stat=stat, errmsg=errmsg)
  call expect(stat == 0 .and. errmsg == "untouched", "success leaves errmsg")

  call projector%report(2, report)
  value = 5
  call report%value(PCML_REPORT_ITEM_MULTIPLIER, 0, 0, value, stat, errmsg)
  call expect(stat == PCML_STATUS_INVALID_ARGUMENT .and. same(value, 5.0_c_double), "a report not filled: " // trim(errmsg))
  call projector%project(workspace, mean, b, u, report=report)
  call report%value(PCML_REPORT_ITEM_RESIDUAL_BEFORE, 1, 0, value)
  call expect(same(value, 5.0_c_double), "a residual")

  call report%free()
  call bounded%free()
  call workspace%free()
  call projector%project(workspace, mean, b, u, stat=stat, errmsg=errmsg)
  call expect(stat == PCML_STATUS_NULL_ARGUMENT, "a freed workspace: " // trim(errmsg))
  call projector%free()
  call projector%free()
  call projector%workspace(1, workspace, stat)
  call expect(stat == PCML_STATUS_NULL_ARGUMENT, "a freed projector")
  value = pcml_sum(pcml_in(u(:, 2:1)), second=pcml_in(b), stat=stat)
  call expect(stat /= 0, "a sum of unlike arrays")
  call finish()
end program errors
