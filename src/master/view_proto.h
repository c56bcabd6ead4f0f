// The core's views as the objects of the operator API.
#pragma once

#include <string>

#include "master/core/views.h"
#include "proffer/v1/operator.pb.h"

namespace proffer::master {

v1::Object ToObject(const View& view);
v1::Kind KindOf(const v1::Object& object);
// What orders and names objects of one kind: the id, or framework and task and attempt.
std::string IdOf(const v1::Object& object);

}  // namespace proffer::master
