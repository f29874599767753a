! Without stat= an error stops the program, with the library's text.
program stops
  use pcml
  implicit none
  type(pcml_model) :: model
  call model%load("no such file")
  print '(a)', "not reached"
end program stops
