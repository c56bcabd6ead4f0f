# proffer_proto(NAME PROTOS a/b.proto ... [GRPC] DEPS ...)
#
# One static library from .proto files given relative to proto/. Generated code lands in
# <build>/proto; it is compiled without our warning flags.
set(PROFFER_PROTO_DIR ${CMAKE_SOURCE_DIR}/proto)
set(PROFFER_PROTO_OUT ${CMAKE_BINARY_DIR}/proto)

function(proffer_proto name)
  cmake_parse_arguments(ARG "GRPC" "" "PROTOS;DEPS" ${ARGN})
  file(MAKE_DIRECTORY ${PROFFER_PROTO_OUT})
  set(sources "")
  foreach(proto IN LISTS ARG_PROTOS)
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(outputs ${PROFFER_PROTO_OUT}/${stem}.pb.cc ${PROFFER_PROTO_OUT}/${stem}.pb.h)
    set(arguments --cpp_out=${PROFFER_PROTO_OUT})
    if(ARG_GRPC)
      list(APPEND outputs ${PROFFER_PROTO_OUT}/${stem}.grpc.pb.cc
           ${PROFFER_PROTO_OUT}/${stem}.grpc.pb.h)
      list(APPEND arguments --grpc_out=${PROFFER_PROTO_OUT}
           --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
    endif()
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
  if(ARG_GRPC)
    target_link_libraries(${name} PUBLIC gRPC::grpc++)
  endif()
endfunction()
