# proffer_proto(NAME PROTOS a/b.proto ... DEPS ...): messages.
# proffer_grpc(NAME PROTOS a/b.proto ... DEPS ...): service stubs for files with a service.
#
# One static library from .proto files given relative to proto/. Generated code lands in
# <build>/proto; it is compiled without our warning flags.
set(PROFFER_PROTO_DIR ${CMAKE_SOURCE_DIR}/proto)
set(PROFFER_PROTO_OUT ${CMAKE_BINARY_DIR}/proto)
file(MAKE_DIRECTORY ${PROFFER_PROTO_OUT})

function(proffer_generated_library name suffix arguments)
  cmake_parse_arguments(ARG "" "" "PROTOS;DEPS" ${ARGN})
  set(sources "")
  foreach(proto IN LISTS ARG_PROTOS)
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(outputs ${PROFFER_PROTO_OUT}/${stem}${suffix}.cc ${PROFFER_PROTO_OUT}/${stem}${suffix}.h)
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND ${PROTOC} -I${PROFFER_PROTO_DIR} ${arguments} ${PROFFER_PROTO_DIR}/${proto}
      DEPENDS ${PROFFER_PROTO_DIR}/${proto}
      COMMENT "protoc ${proto}")
    list(APPEND sources ${outputs})
  endforeach()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} SYSTEM PUBLIC ${PROFFER_PROTO_OUT})
  target_compile_options(${name} PRIVATE -w)
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf ${ARG_DEPS})
endfunction()

function(proffer_proto name)
  proffer_generated_library(${name} .pb "--cpp_out=${PROFFER_PROTO_OUT}" ${ARGN})
endfunction()

function(proffer_grpc name)
  proffer_generated_library(${name} .grpc.pb
    "--grpc_out=${PROFFER_PROTO_OUT};--plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN}" ${ARGN})
  target_link_libraries(${name} PUBLIC gRPC::grpc++)
endfunction()
