# proffer_library(NAME [SIMULATED] SRCS ... HDRS ... DEPS ...)
#
# A static library. Its headers are a verified file set: the target
# all_verify_interface_header_sets compiles each of them alone.
#
# SIMULATED makes NAME_simulated beside it: the same sources for the simulator, with
# PROFFER_SIMULATION (common/base/simulation.h), on the simulated variants of those dependencies
# that have one. A program has either all of one kind or all of the other; CMake refuses a mixture
# ("INTERFACE_PROFFER_OBJECTS ... does not agree").
function(proffer_library name)
  cmake_parse_arguments(ARG "SIMULATED" "" "SRCS;HDRS;DEPS" ${ARGN})
  set(headers "")
  foreach(header IN LISTS ARG_HDRS)
    cmake_path(ABSOLUTE_PATH header)
    list(APPEND headers ${header})
  endforeach()
  if(ARG_SRCS)
    add_library(${name} STATIC ${ARG_SRCS})
    set(scope PUBLIC)
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_sources(${name} ${scope} FILE_SET HEADERS
    BASE_DIRS ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include FILES ${headers})
  target_include_directories(${name} ${scope} ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(${name} ${scope} ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  if(ARG_SIMULATED)
    set_target_properties(${name} PROPERTIES INTERFACE_PROFFER_OBJECTS ordinary
                          COMPATIBLE_INTERFACE_STRING PROFFER_OBJECTS)
    if(NOT PROFFER_CORE_ONLY)
      proffer_simulated_library(${name} SRCS ${ARG_SRCS} DEPS ${ARG_DEPS})
    endif()
  endif()
endfunction()

# The simulated variant of a library; see there.
function(proffer_simulated_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  set(deps common_simulation)
  foreach(dep IN LISTS ARG_DEPS)
    if(TARGET ${dep}_simulated)
      list(APPEND deps ${dep}_simulated)
    else()
      list(APPEND deps ${dep})
    endif()
  endforeach()
  add_library(${name}_simulated STATIC ${ARG_SRCS})
  target_compile_definitions(${name}_simulated PRIVATE PROFFER_SIMULATION)
  target_include_directories(${name}_simulated PUBLIC ${CMAKE_SOURCE_DIR}/src
                             ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(${name}_simulated PUBLIC ${deps})
  set_target_properties(${name}_simulated PROPERTIES INTERFACE_PROFFER_OBJECTS simulated
                        COMPATIBLE_INTERFACE_STRING PROFFER_OBJECTS)
endfunction()

# proffer_binary(NAME SRCS ... DEPS ...): a program, put into <build>/bin.
function(proffer_binary name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()
