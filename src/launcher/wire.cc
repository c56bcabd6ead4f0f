// Encoding and decoding.
#include "launcher/wire.h"

#include <cstring>

namespace proffer::launcher {
namespace {

template <typename T>
void Put(std::string* out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out->push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
  }
}

void PutText(std::string* out, const std::string& text) {
  Put<uint32_t>(out, static_cast<uint32_t>(text.size()));
  out->append(text);
}

void PutTexts(std::string* out, const std::vector<std::string>& texts) {
  Put<uint32_t>(out, static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) PutText(out, text);
}

// Reads fields one after another; fields that are missing at the end are 0.
class Reader {
 public:
  explicit Reader(const std::string& body) : body_(body) {}

  template <typename T>
  T Get() {
    if (at_ == body_.size()) return T{0};
    if (body_.size() - at_ < sizeof(T)) {
      broken_ = true;
      return T{0};
    }
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
      value |= static_cast<uint64_t>(static_cast<uint8_t>(body_[at_ + i])) << (8 * i);
    }
    at_ += sizeof(T);
    return static_cast<T>(value);
  }
  std::string Text() {
    const auto size = Get<uint32_t>();
    if (size > body_.size() - at_) {
      broken_ = true;
      return "";
    }
    at_ += size;
    return body_.substr(at_ - size, size);
  }
  // How many items follow, each of at least `item_bytes`.
  uint32_t Count(size_t item_bytes) {
    const auto count = Get<uint32_t>();
    if (count > (body_.size() - at_) / item_bytes) {
      broken_ = true;
      return 0;
    }
    return count;
  }
  std::vector<std::string> Texts() {
    std::vector<std::string> texts(Count(4));
    for (std::string& text : texts) text = Text();
    return texts;
  }
  bool ok() const { return !broken_; }

 private:
  const std::string& body_;
  size_t at_ = 0;
  bool broken_ = false;
};

}  // namespace

std::string EncodeFrame(Type type, const std::string& body) {
  std::string frame;
  frame.reserve(kFrameHeaderBytes + body.size());
  Put<uint8_t>(&frame, kWireVersion);
  Put<uint8_t>(&frame, static_cast<uint8_t>(type));
  Put<uint16_t>(&frame, 0);
  Put<uint32_t>(&frame, static_cast<uint32_t>(body.size()));
  frame.append(body);
  return frame;
}

Parsed TakeFrame(std::string* buffer, Frame* frame) {
  if (buffer->size() < kFrameHeaderBytes) return Parsed::kIncomplete;
  Reader header(*buffer);
  frame->version = header.Get<uint8_t>();
  frame->type = static_cast<Type>(header.Get<uint8_t>());
  header.Get<uint16_t>();
  const auto length = header.Get<uint32_t>();
  if (frame->version == 0 || length > kMaxBodyBytes) return Parsed::kBroken;
  if (buffer->size() < kFrameHeaderBytes + length) return Parsed::kIncomplete;
  frame->body = buffer->substr(kFrameHeaderBytes, length);
  buffer->erase(0, kFrameHeaderBytes + length);
  return Parsed::kFrame;
}

std::string EncodeLaunch(uint64_t request, const isolator::LaunchPlan& plan) {
  std::string body;
  Put(&body, request);
  PutText(&body, plan.name);
  PutText(&body, plan.run_dir);
  PutText(&body, plan.sandbox);
  PutTexts(&body, plan.argv);
  PutTexts(&body, plan.environment);
  PutText(&body, plan.working_directory);
  PutText(&body, plan.path);
  Put<uint8_t>(&body, plan.switch_user ? 1 : 0);
  PutText(&body, plan.user);
  Put(&body, plan.uid);
  Put(&body, plan.gid);
  Put<uint32_t>(&body, static_cast<uint32_t>(plan.groups.size()));
  for (uint32_t group : plan.groups) Put(&body, group);
  Put<uint32_t>(&body, static_cast<uint32_t>(plan.rlimits.size()));
  for (const isolator::Rlimit& limit : plan.rlimits) {
    Put(&body, limit.resource);
    Put(&body, limit.soft);
    Put(&body, limit.hard);
  }
  Put<uint8_t>(&body, plan.drop_capabilities ? 1 : 0);
  Put(&body, plan.capabilities);
  Put<uint8_t>(&body, plan.use_cgroups ? 1 : 0);
  Put(&body, plan.cgroup.cpu_milli);
  Put(&body, plan.cgroup.cpu_quota_milli);
  Put(&body, plan.cgroup.memory_bytes);
  Put(&body, plan.cgroup.memory_low_bytes);
  Put(&body, plan.cgroup.pids);
  Put(&body, plan.namespaces);
  Put<uint32_t>(&body, static_cast<uint32_t>(plan.mounts.size()));
  for (isolator::Mount mount : plan.mounts) Put(&body, static_cast<uint8_t>(mount));
  Put(&body, plan.log_file_bytes);
  Put(&body, plan.log_files);
  Put(&body, plan.kill_grace_ms);
  Put(&body, plan.max_run_time_ms);
  Put(&body, plan.stop_after_disconnect_ms);
  return body;
}

bool DecodeLaunch(const std::string& body, uint64_t* request, isolator::LaunchPlan* plan) {
  Reader reader(body);
  *request = reader.Get<uint64_t>();
  plan->name = reader.Text();
  plan->run_dir = reader.Text();
  plan->sandbox = reader.Text();
  plan->argv = reader.Texts();
  plan->environment = reader.Texts();
  plan->working_directory = reader.Text();
  plan->path = reader.Text();
  plan->switch_user = reader.Get<uint8_t>() != 0;
  plan->user = reader.Text();
  plan->uid = reader.Get<uint32_t>();
  plan->gid = reader.Get<uint32_t>();
  plan->groups.resize(reader.Count(4));
  for (uint32_t& group : plan->groups) group = reader.Get<uint32_t>();
  plan->rlimits.resize(reader.Count(20));
  for (isolator::Rlimit& limit : plan->rlimits) {
    limit.resource = reader.Get<int32_t>();
    limit.soft = reader.Get<uint64_t>();
    limit.hard = reader.Get<uint64_t>();
  }
  plan->drop_capabilities = reader.Get<uint8_t>() != 0;
  plan->capabilities = reader.Get<uint64_t>();
  plan->use_cgroups = reader.Get<uint8_t>() != 0;
  plan->cgroup.cpu_milli = reader.Get<uint32_t>();
  plan->cgroup.cpu_quota_milli = reader.Get<uint32_t>();
  plan->cgroup.memory_bytes = reader.Get<uint64_t>();
  plan->cgroup.memory_low_bytes = reader.Get<uint64_t>();
  plan->cgroup.pids = reader.Get<uint32_t>();
  plan->namespaces = reader.Get<uint32_t>();
  plan->mounts.resize(reader.Count(1));
  for (isolator::Mount& mount : plan->mounts) {
    mount = static_cast<isolator::Mount>(reader.Get<uint8_t>());
  }
  plan->log_file_bytes = reader.Get<uint64_t>();
  plan->log_files = reader.Get<uint32_t>();
  plan->kill_grace_ms = reader.Get<int64_t>();
  plan->max_run_time_ms = reader.Get<int64_t>();
  plan->stop_after_disconnect_ms = reader.Get<int64_t>();
  return reader.ok() && !plan->argv.empty();
}

std::string EncodeRequest(uint64_t request, const std::string& text) {
  std::string body;
  Put(&body, request);
  PutText(&body, text);
  return body;
}

bool DecodeRequest(const std::string& body, uint64_t* request, std::string* text) {
  Reader reader(body);
  *request = reader.Get<uint64_t>();
  *text = reader.Text();
  return reader.ok();
}

std::string EncodeTexts(uint64_t request, const std::vector<std::string>& texts) {
  std::string body;
  Put(&body, request);
  PutTexts(&body, texts);
  return body;
}

bool DecodeTexts(const std::string& body, uint64_t* request, std::vector<std::string>* texts) {
  Reader reader(body);
  *request = reader.Get<uint64_t>();
  *texts = reader.Texts();
  return reader.ok();
}

std::string EncodeWelcome(const Welcome& welcome) {
  std::string body;
  Put(&body, welcome.version);
  Put<uint8_t>(&body, welcome.root ? 1 : 0);
  Put(&body, welcome.cgroup_kind);
  PutTexts(&body, welcome.cgroup_dirs);
  PutText(&body, welcome.cgroup_root);
  PutText(&body, welcome.why_not);
  return body;
}

bool DecodeWelcome(const std::string& body, Welcome* welcome) {
  Reader reader(body);
  welcome->version = reader.Get<uint32_t>();
  welcome->root = reader.Get<uint8_t>() != 0;
  welcome->cgroup_kind = reader.Get<uint8_t>();
  welcome->cgroup_dirs = reader.Texts();
  welcome->cgroup_root = reader.Text();
  welcome->why_not = reader.Text();
  return reader.ok();
}

std::string EncodeEnded(const Ended& ended) {
  std::string body;
  Put<uint8_t>(&body, static_cast<uint8_t>(ended.cause));
  Put<uint8_t>(&body, ended.signalled ? 1 : 0);
  Put(&body, ended.code);
  Put(&body, ended.cpu_us);
  Put(&body, ended.memory_peak_bytes);
  Put(&body, ended.memory_limit_bytes);
  PutText(&body, ended.left);
  return body;
}

bool DecodeEnded(const std::string& body, Ended* ended) {
  Reader reader(body);
  ended->cause = static_cast<Cause>(reader.Get<uint8_t>());
  ended->signalled = reader.Get<uint8_t>() != 0;
  ended->code = reader.Get<int32_t>();
  ended->cpu_us = reader.Get<uint64_t>();
  ended->memory_peak_bytes = reader.Get<uint64_t>();
  ended->memory_limit_bytes = reader.Get<uint64_t>();
  ended->left = reader.Text();
  return reader.ok() && body.size() >= 6;
}

std::string EncodeInt64(int64_t value) {
  std::string body;
  Put(&body, value);
  return body;
}

bool DecodeInt64(const std::string& body, int64_t* value) {
  Reader reader(body);
  *value = reader.Get<int64_t>();
  return reader.ok() && body.size() >= 8;
}

}  // namespace proffer::launcher
