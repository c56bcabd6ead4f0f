// The accept loop: who may reach a socket, and what lies where it should be.
#include "common/rpc/acceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "unit/rpc/directory.h"

namespace proffer::rpc {
namespace {

namespace files = std::filesystem;
using ::testing::HasSubstr;

absl::Status ListenStatus(const std::string& path) {
  return Acceptor::Listen({"unix:" + path, true}).status();
}

// A socket file, and whether somebody listens on it.
int BindSocket(const std::string& path, bool listening) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  if (listening) {
    EXPECT_EQ(listen(fd, 4), 0);
  }
  return fd;
}

TEST(AcceptorTest, MakesItsDirectoryForItselfAlone) {
  Directory directory;
  ASSERT_TRUE(ListenStatus(directory / "new/socket").ok());
  struct stat info;
  ASSERT_EQ(stat((directory / "new").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST(AcceptorTest, RefusesADirectoryThatOthersCanEnter) {
  Directory directory;
  files::create_directory(directory / "open");
  chmod((directory / "open").c_str(), 0750);
  const absl::Status status = ListenStatus(directory / "open/socket");
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("chmod 0700"));
  chmod((directory / "open").c_str(), 0700);
  EXPECT_TRUE(ListenStatus(directory / "open/socket").ok());
}

TEST(AcceptorTest, RefusesADirectoryBehindALink) {
  Directory directory;
  files::create_directory(directory / "real");
  chmod((directory / "real").c_str(), 0700);
  files::create_directory_symlink(directory / "real", directory / "link");
  EXPECT_EQ(ListenStatus(directory / "link/socket").code(), absl::StatusCode::kPermissionDenied);
}

TEST(AcceptorTest, ReplacesASocketThatNobodyServes) {
  Directory directory;
  const std::string path = directory / "socket";
  close(BindSocket(path, /*listening=*/true));  // Its process has died.
  EXPECT_TRUE(ListenStatus(path).ok());
}

TEST(AcceptorTest, RefusesWhileSomebodyElseServes) {
  Directory directory;
  const std::string path = directory / "socket";
  const int fd = BindSocket(path, /*listening=*/true);
  EXPECT_EQ(ListenStatus(path).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(files::exists(path));
  close(fd);
}

TEST(AcceptorTest, NeverDeletesWhatIsNotASocket) {
  Directory directory;
  const std::string path = directory / "diary";
  std::ofstream(path) << "precious";
  const absl::Status status = ListenStatus(path);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("is not a socket"));
  EXPECT_EQ(files::file_size(path), 8u);
}

TEST(AcceptorTest, LeavesNoSocketBehind) {
  Directory directory;
  const std::string path = directory / "socket";
  {
    auto acceptor = Acceptor::Listen({"unix:" + path, true});
    ASSERT_TRUE(acceptor.ok());
    EXPECT_TRUE(files::exists(path));
  }
  EXPECT_FALSE(files::exists(path));
}

TEST(AcceptorTest, FindsAFreePortAndRefusesATakenOne) {
  auto first = Acceptor::Listen({"127.0.0.1:0", false});
  ASSERT_TRUE(first.ok()) << first.status();
  const Address taken = (*first)->address();
  EXPECT_NE(taken.target, "127.0.0.1:0");
  EXPECT_FALSE(Acceptor::Listen(taken).ok());
}

TEST(AcceptorTest, RefusesToServeOtherMachines) {
  EXPECT_EQ(Acceptor::Listen({"0.0.0.0:0", false}).status().code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace proffer::rpc
