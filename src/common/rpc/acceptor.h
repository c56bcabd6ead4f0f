// Our own accept loop. Packaged gRPC never accepts again after one EMFILE, does not ask who is on
// the other end of a unix socket, and knows no bound; this loop does all of it right and hands
// sockets to the server.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/address.h"
#include "common/rpc/connection_table.h"
#include "grpcpp/server_builder.h"

namespace proffer::rpc {

class Acceptor {
 public:
  // Binds and listens. A unix socket's directory is made if need be, with mode 0700, and must
  // belong to us; a socket file that nobody serves is replaced. ALREADY_EXISTS when somebody does.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(const Address& address);
  ~Acceptor();

  // What it became: with port 0 the port that was free.
  const Address& address() const { return address_; }

  // REQUIRES: before the server starts, and `Run` after, with the connections of all acceptors of
  // that server.
  void AttachTo(grpc::ServerBuilder& builder);
  void Run(std::shared_ptr<ConnectionTable> connections);
  // No new connections from now on: they wait, until it is attached to another server and runs
  // again, or is destroyed.
  void Stop();

 private:
  Acceptor(Address address, int listener, int wake);
  void AcceptLoop(ConnectionTable& connections);
  // Whose connection it is; nobody: of somebody who may not talk to us at all.
  std::optional<ConnectionTable::Peer> PeerOf(int fd) const;

  const Address address_;
  const int listener_;
  const int wake_;  // An eventfd that ends the loop.
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> sink_;
  std::thread thread_;
};

// All that a server listens on. They can go from one server to the next without anybody finding the
// door closed in between.
using Listeners = std::vector<std::unique_ptr<Acceptor>>;

// Three quarters of the descriptors we may have; the rest is for files and our own work.
size_t PlacesForConnections();

absl::StatusOr<Listeners> Listen(const std::vector<Address>& addresses);

}  // namespace proffer::rpc
