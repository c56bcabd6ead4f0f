// The contract: everything carries an authorisation, and nothing that was ever published changes.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "common/auth/authorize.h"
#include "proffer/v1/agent.pb.h"
#include "proffer/v1/authz.pb.h"
#include "proffer/v1/data.pb.h"
#include "proffer/v1/executor.pb.h"
#include "proffer/v1/operator.pb.h"
#include "proffer/v1/scheduler.pb.h"

namespace proffer {
namespace {

namespace pb = google::protobuf;

std::vector<const pb::FileDescriptor*> Files() {
  return {v1::SchedulerCall::descriptor()->file(), v1::AgentMessage::descriptor()->file(),
          v1::DataUp::descriptor()->file(), v1::ExecutorMessage::descriptor()->file(),
          v1::Object::descriptor()->file()};
}

TEST(Contract, EveryMethodAndEveryArmOfAStreamCarriesAnAuthorisation) {
  int methods = 0;
  int arms = 0;
  for (const pb::FileDescriptor* file : Files()) {
    ASSERT_GT(file->service_count(), 0) << file->name();
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const pb::MethodDescriptor& method = *file->service(s)->method(m);
        ++methods;
        EXPECT_FALSE(method.options().GetExtension(v1::authz).action().empty())
            << method.full_name();
        EXPECT_NE(method.options().GetExtension(v1::authz).object(), v1::OBJECT_KIND_UNSPECIFIED)
            << method.full_name();
        if (!method.client_streaming()) continue;
        for (const pb::Descriptor* message : {method.input_type(), method.output_type()}) {
          ASSERT_EQ(message->oneof_decl_count(), 1) << message->full_name();
          for (int i = 0; i < message->oneof_decl(0)->field_count(); ++i) {
            const pb::FieldDescriptor& arm = *message->oneof_decl(0)->field(i);
            ++arms;
            EXPECT_FALSE(arm.options().GetExtension(v1::arm_authz).action().empty())
                << arm.full_name();
          }
        }
      }
    }
  }
  EXPECT_GE(methods, 13);
  EXPECT_GE(arms, 40);
}

TEST(Contract, WhatCarriesNoAuthorisationIsRefusedToEverybody) {
  // Plain messages have no arms that could carry one.
  v1::Range range;
  EXPECT_EQ(auth::AuthorizeArm(auth::LocalPrincipal(), range).code(),
            absl::StatusCode::kPermissionDenied);
  v1::Resource resource;  // Its oneof is not annotated.
  resource.set_scalar(1);
  EXPECT_EQ(auth::AuthorizeArm(auth::LocalPrincipal(), resource).code(),
            absl::StatusCode::kPermissionDenied);
  v1::SchedulerCall call;
  call.mutable_teardown();
  EXPECT_TRUE(auth::AuthorizeArm(auth::LocalPrincipal(), call).ok());
  EXPECT_FALSE(auth::AuthorizeArm({"somebody"}, call).ok());
}

// Every fact of a descriptor that peers rely on, as text.
void Facts(const pb::DescriptorProto& message, const std::string& prefix,
           std::map<std::string, std::string>* facts) {
  const std::string name = prefix + "." + message.name();
  for (const pb::FieldDescriptorProto& field : message.field()) {
    (*facts)[name + " field " + field.name()] =
        std::to_string(field.number()) + " type " + std::to_string(field.type()) + " " +
        field.type_name() + " label " + std::to_string(field.label());
  }
  for (const pb::DescriptorProto& nested : message.nested_type()) Facts(nested, name, facts);
  for (const pb::EnumDescriptorProto& e : message.enum_type()) {
    for (const pb::EnumValueDescriptorProto& value : e.value()) {
      (*facts)[name + "." + e.name() + " value " + value.name()] = std::to_string(value.number());
    }
  }
}

std::map<std::string, std::string> Facts(const pb::FileDescriptorSet& set) {
  std::map<std::string, std::string> facts;
  for (const pb::FileDescriptorProto& file : set.file()) {
    if (file.package() != "proffer.v1") continue;
    for (const pb::DescriptorProto& message : file.message_type()) {
      Facts(message, file.package(), &facts);
    }
    for (const pb::EnumDescriptorProto& e : file.enum_type()) {
      for (const pb::EnumValueDescriptorProto& value : e.value()) {
        facts[file.package() + "." + e.name() + " value " + value.name()] =
            std::to_string(value.number());
      }
    }
    for (const pb::ServiceDescriptorProto& service : file.service()) {
      for (const pb::MethodDescriptorProto& method : service.method()) {
        facts[file.package() + "." + service.name() + " method " + method.name()] =
            method.input_type() + " " + method.output_type() + " " +
            std::to_string(method.client_streaming()) + std::to_string(method.server_streaming());
      }
    }
  }
  return facts;
}

TEST(Contract, NothingPublishedIsRemovedRenumberedOrChanged) {
  pb::FileDescriptorSet published;
  std::ifstream file(PROFFER_SOURCE_DIR "/tests/data/contract/v1.descriptor.pb", std::ios::binary);
  ASSERT_TRUE(published.ParseFromIstream(&file)) << "run scripts/update_contract.sh";
  pb::FileDescriptorSet now;
  for (const pb::FileDescriptorProto& old : published.file()) {
    const pb::FileDescriptor* found =
        pb::DescriptorPool::generated_pool()->FindFileByName(old.name());
    ASSERT_NE(found, nullptr) << old.name() << " was removed";
    found->CopyTo(now.add_file());
  }
  const std::map<std::string, std::string> facts = Facts(now);
  EXPECT_GT(facts.size(), 300u);
  for (const auto& [name, fact] : Facts(published)) {
    const auto it = facts.find(name);
    ASSERT_NE(it, facts.end()) << name << " was removed; fields are only ever added";
    EXPECT_EQ(it->second, fact) << name << " was changed";
  }
}

}  // namespace
}  // namespace proffer
