#include "support/relay.h"

#include <glog/logging.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "support/loopback.h"

namespace proffer::testing {
Relay::Relay(const std::string& target) : target_(target) {
  int port = 0;
  listener_ = BoundSocket(0, &port);
  PCHECK(listen(listener_, 64) == 0);
  address_ = absl::StrCat("127.0.0.1:", port);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  thread_ = std::thread([this] { Run(); });
}

Relay::~Relay() {
  {
    MutexLock lock(&mutex_);
    ending_ = true;
  }
  eventfd_write(wake_, 1);
  thread_.join();
  for (const Pair& pair : pairs_) {
    close(pair.client);
    close(pair.server);
  }
  close(listener_);
  close(wake_);
}

void Relay::CutAnswerTo(const std::string& text) {
  MutexLock lock(&mutex_);
  cut_on_ = text;
}

bool Relay::has_cut() const {
  MutexLock lock(&mutex_);
  return has_cut_;
}

void Relay::Stall(bool stalled) {
  MutexLock lock(&mutex_);
  stalled_ = stalled;
  eventfd_write(wake_, 1);
}

void Relay::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = Loopback(std::atoi(target_.substr(target_.rfind(':') + 1).c_str()));
  if (connect(server, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) {
    pairs_.push_back({client, server});
  } else {
    close(client);
    close(server);
  }
}

bool Relay::Pass(Pair* pair, bool from_client) {
  std::string bytes(64 << 10, '\0');
  const ssize_t got =
      recv(from_client ? pair->client : pair->server, bytes.data(), bytes.size(), 0);
  if (got <= 0) return false;
  bytes.resize(got);
  {
    MutexLock lock(&mutex_);
    if (from_client && !cut_on_.empty() && bytes.find(cut_on_) != std::string::npos) {
      cut_on_.clear();
      pair->cut_answer = true;
    } else if (!from_client && pair->cut_answer) {
      has_cut_ = true;
      return false;
    }
  }
  return send(from_client ? pair->server : pair->client, bytes.data(), bytes.size(),
              MSG_NOSIGNAL) == got;
}

void Relay::Run() {
  while (true) {
    std::vector<pollfd> waits = {{wake_, POLLIN, 0}};
    {
      MutexLock lock(&mutex_);
      if (ending_) return;
      if (!stalled_) {
        waits.push_back({listener_, POLLIN, 0});
        for (const Pair& pair : pairs_) {
          waits.push_back({pair.client, POLLIN, 0});
          waits.push_back({pair.server, POLLIN, 0});
        }
      }
    }
    poll(waits.data(), waits.size(), -1);
    if (waits[0].revents != 0) {
      eventfd_t ignored;
      eventfd_read(wake_, &ignored);
      continue;
    }
    auto pair = pairs_.begin();
    for (size_t i = 2; i < waits.size(); i += 2) {
      const bool lives = (waits[i].revents == 0 || Pass(&*pair, /*from_client=*/true)) &&
                         (waits[i + 1].revents == 0 || Pass(&*pair, /*from_client=*/false));
      const auto next = std::next(pair);
      if (!lives) {
        close(pair->client);
        close(pair->server);
        pairs_.erase(pair);
      }
      pair = next;
    }
    if (waits[1].revents != 0) Accept();
  }
}

}  // namespace proffer::testing
