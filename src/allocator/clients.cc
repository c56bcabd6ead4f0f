// The tables of frameworks and clients.
#include "allocator/clients.h"

#include <algorithm>

#include "glog/logging.h"

namespace proffer::allocator {

bool Clients::Knows(FrameworkIndex framework) const {
  return framework.value < frameworks_.size() && frameworks_[framework.value].known;
}

Framework& Clients::framework(FrameworkIndex framework) {
  CHECK(Knows(framework)) << "framework " << framework;
  return frameworks_[framework.value];
}

const Framework& Clients::framework(FrameworkIndex framework) const {
  CHECK(Knows(framework)) << "framework " << framework;
  return frameworks_[framework.value];
}

void Clients::AddFramework(FrameworkIndex framework) {
  CHECK(framework.valid());
  CHECK(!Knows(framework)) << "framework " << framework << " is known already";
  if (framework.value >= frameworks_.size()) frameworks_.resize(framework.value + 1);
  frameworks_[framework.value].known = true;
  frameworks_[framework.value].active = true;
}

void Clients::RemoveFramework(FrameworkIndex framework) {
  CHECK(this->framework(framework).clients.empty());
  frameworks_[framework.value] = Framework();
}

bool Clients::Exists(ClientIndex client) const {
  return client.value < clients_.size() && clients_[client.value].framework.valid();
}

ClientIndex Clients::Find(FrameworkIndex framework, RoleIndex role) const {
  for (ClientIndex client : this->framework(framework).clients) {
    if (clients_[client.value].role == role) return client;
  }
  return ClientIndex();
}

ClientIndex Clients::Add(FrameworkIndex framework, RoleIndex role) {
  ClientIndex client;
  if (unused_.empty()) {
    client = ClientIndex(static_cast<uint32_t>(clients_.size()));
    clients_.emplace_back();
  } else {
    client = ClientIndex(unused_.back());
    unused_.pop_back();
  }
  clients_[client.value].framework = framework;
  clients_[client.value].role = role;
  this->framework(framework).clients.push_back(client);
  return client;
}

void Clients::Erase(ClientIndex client) {
  CHECK(!clients_[client.value].hungry);
  auto& siblings = framework(clients_[client.value].framework).clients;
  siblings.erase(std::find(siblings.begin(), siblings.end(), client));
  clients_[client.value] = Client();
  unused_.push_back(client.value);
}

void Clients::SetHungry(ClientIndex client, bool hungry) {
  clients_[client.value].hungry = hungry;
  hungry_.Put(client.value, hungry);
}

}  // namespace proffer::allocator
