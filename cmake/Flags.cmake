# Compiler and linker flags that hold for everything of ours.
add_compile_options(-Wall -Wextra -Werror -Wno-missing-field-initializers -Wno-unused-parameter
                    -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees uninitialised members in moved InlinedVectors and optionals that are none.
  add_compile_options(-Wno-maybe-uninitialized)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wthread-safety)
endif()
if(PROFFER_SANITIZE)
  add_compile_options(-fsanitize=${PROFFER_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PROFFER_SANITIZE})
endif()

# mold links this tree in a tenth of the time of ld; where it is missing ld does.
find_program(PROFFER_MOLD mold)
if(PROFFER_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_program(PROFFER_CCACHE ccache)
if(PROFFER_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PROFFER_CCACHE})
endif()
