# Component fortran: pcml::fortran, the modules of bindings/fortran. Module files belong to one compiler, so they are built in the project
# that uses them, by its own.
cmake_policy(VERSION 3.18)

function(pcml_add_fortran sources)
  add_library(pcml_fortran STATIC EXCLUDE_FROM_ALL
    "${sources}/pcml_c.f90" "${sources}/pcml_errors.f90" "${sources}/pcml_objects.f90" "${sources}/pcml.f90")
  set(modules "${CMAKE_CURRENT_BINARY_DIR}/pcml_fortran")
  set_target_properties(pcml_fortran PROPERTIES
    Fortran_MODULE_DIRECTORY "${modules}" POSITION_INDEPENDENT_CODE ON)
  target_include_directories(pcml_fortran INTERFACE "${modules}")
  target_link_libraries(pcml_fortran PUBLIC pcml::pcml)
  add_library(pcml::fortran ALIAS pcml_fortran)
endfunction()

# For find_package: makes the target where the component is asked for, and says what is missing where that cannot be.
macro(pcml_find_fortran sources)
  if("fortran" IN_LIST pcml_FIND_COMPONENTS)
    get_property(pcml_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if(TARGET pcml::fortran)
      set(pcml_fortran_FOUND TRUE)
    elseif("Fortran" IN_LIST pcml_languages)
      pcml_add_fortran("${sources}")
      set(pcml_fortran_FOUND TRUE)
    else()
      set(pcml_fortran_FOUND FALSE)
      set(pcml_fortran_reason
        "it needs the language Fortran: call enable_language(Fortran), or name it in project(), before find_package(pcml)")
    endif()
    unset(pcml_languages)
  endif()
endmacro()
