# The targets of pcml, the same from the source tree and from an installed one.

# What a static library built by rustc needs of the system (rustc --print native-static-libs).
if(APPLE)
  set(PCML_SYSTEM_LIBRARIES System c m)
elseif(UNIX)
  set(PCML_SYSTEM_LIBRARIES gcc_s util rt pthread m dl c)
else()
  set(PCML_SYSTEM_LIBRARIES "")
endif()

# The library that is not there is given as "".
function(pcml_add_targets include_dir shared static prefer_shared)
  if(shared)
    add_library(pcml_shared_library SHARED IMPORTED GLOBAL)
    set_target_properties(pcml_shared_library PROPERTIES
      IMPORTED_LOCATION "${shared}" INTERFACE_INCLUDE_DIRECTORIES "${include_dir}")
    add_library(pcml::shared ALIAS pcml_shared_library)
  endif()

  if(static)
    add_library(pcml_static_library STATIC IMPORTED GLOBAL)
    set_target_properties(pcml_static_library PROPERTIES
      IMPORTED_LOCATION "${static}" INTERFACE_INCLUDE_DIRECTORIES "${include_dir}"
      INTERFACE_LINK_LIBRARIES "${PCML_SYSTEM_LIBRARIES}")
    add_library(pcml::static ALIAS pcml_static_library)
  endif()

  if(shared AND (prefer_shared OR NOT static))
    add_library(pcml::pcml ALIAS pcml_shared_library)
  else()
    add_library(pcml::pcml ALIAS pcml_static_library)
  endif()
endfunction()
