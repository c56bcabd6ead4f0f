// proffer events: what changed in the cluster, one line a change.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/amounts.h"
#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/describe.h"
#include "cli/document.h"
#include "cli/duration.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "common/base/status.h"

namespace proffer::cli {
namespace {

struct Options {
  bool follow = false;
  int tail = -1;
  std::string kinds;
};

// What a change means to people; "" when it means nothing to them.
std::string Sentence(const v1::Change& change) {
  const v1::Object& object = change.object();
  const bool removed = change.removed();
  switch (object.object_case()) {
    case v1::Object::kAgent: {
      const v1::AgentView& agent = object.agent();
      return absl::StrCat("agent ", agent.hostname(), " ",
                          removed ? "removed" : StateWord(agent.state()));
    }
    case v1::Object::kFramework: {
      const v1::FrameworkView& framework = object.framework();
      return absl::StrCat("framework ", framework.name(), " ",
                          removed ? "ended" : StateWord(framework));
    }
    case v1::Object::kTask: {
      const v1::TaskView& task = object.task();
      return absl::StrCat("task ", task.task_id(), " ", StateWord(task),
                          task.hostname().empty() ? "" : absl::StrCat(" on ", task.hostname()),
                          " (framework ", task.framework_name(), ")",
                          task.message().empty() ? "" : absl::StrCat(": ", task.message()));
    }
    case v1::Object::kOffer: {
      const v1::OfferView& offer = object.offer();
      return absl::StrCat(
          "offer ", Print(offer.id()), " ",
          removed ? "closed" : absl::StrCat("of ", HumanAmounts(SumOf(offer.resources()))), " on ",
          offer.hostname(), " to ", offer.framework_name());
    }
    case v1::Object::kRole: {
      const v1::RoleView& role = object.role();
      return absl::StrCat("role ", role.role(), " ",
                          removed ? "unused" : absl::StrCat("has ", HumanShare(role.share())));
    }
    case v1::Object::OBJECT_NOT_SET:
      break;
  }
  return "";
}

std::string KeyOf(const v1::Object& object) {
  if (object.has_task()) {
    return absl::StrCat("task ", object.task().framework_id(), "/", object.task().task_id(), "/",
                        Print(object.task().attempt()));
  }
  if (object.has_agent()) return absl::StrCat("agent ", object.agent().agent_id());
  if (object.has_framework()) return absl::StrCat("framework ", object.framework().framework_id());
  return absl::StrCat(KindWord(object), " ", NameOf(object));
}

class Printer {
 public:
  Printer(Context& context, Format format, std::set<std::string> kinds, size_t kept)
      : context_(context), format_(format), kinds_(std::move(kinds)), kept_(kept) {}

  // Before Live is called, only the last ones are kept.
  void Take(const v1::Change& change) {
    if (kinds_.count(KindWord(change.object())) == 0) return;
    std::string line;
    if (IsForPeople(format_)) {
      std::string sentence = Sentence(change);
      std::string& last = last_[KeyOf(change.object())];
      if (sentence == last) return;  // Only numbers changed.
      last = sentence;
      line = absl::StrCat(format_ == Format::kWide ? PrintTime(change.time_unix_ms())
                                                   : PrintTimeOfDay(change.time_unix_ms()),
                          "  ", sentence);
      if (change.removed()) last_.erase(KeyOf(change.object()));
    } else if (format_ == Format::kName) {
      line = NameOf(change.object());
    } else {
      line = ToCompactJson(FromMessage(change));
    }
    if (live_) {
      context_.out << line << "\n" << std::flush;
      return;
    }
    lines_.push_back(std::move(line));
    if (lines_.size() > kept_) lines_.pop_front();
  }
  void Live() {
    if (live_) return;
    live_ = true;
    for (const std::string& line : lines_) context_.out << line << "\n";
    context_.out << std::flush;
    lines_.clear();
  }

 private:
  Context& context_;
  const Format format_;
  const std::set<std::string> kinds_;
  const size_t kept_;
  bool live_ = false;
  std::deque<std::string> lines_;
  std::map<std::string, std::string> last_;
};

absl::StatusOr<std::set<std::string>> ParseKinds(const std::string& text) {
  if (text.empty()) return std::set<std::string>{"agent", "framework", "task"};
  if (text == "all") {
    return std::set<std::string>{"agent", "framework", "task", "offer", "role"};
  }
  std::set<std::string> kinds;
  const std::vector<std::string> words = absl::StrSplit(text, ',');
  for (std::string word : words) {
    if (!word.empty() && word.back() == 's') word.pop_back();
    if (word != "agent" && word != "framework" && word != "task" && word != "offer" &&
        word != "role") {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", word, "\" is no kind of thing; there are agents, frameworks, roles, ",
                       "offers and tasks, several by commas, or all"));
    }
    kinds.insert(word);
  }
  return kinds;
}

absl::StatusOr<int> Events(Session& session, const Options& options) {
  Context& context = session.context;
  ASSIGN_OR_RETURN(const Format format, ParseFormat(session.globals.format));
  if (format == Format::kJson || format == Format::kYaml) {
    return absl::InvalidArgumentError(
        "events are a stream of lines; use -o jsonl, which has one JSON object a line");
  }
  ASSIGN_OR_RETURN(std::set<std::string> kinds, ParseKinds(options.kinds));
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(context, session.globals));
  ASSIGN_OR_RETURN(const v1::Cluster cluster, client->GetCluster());
  const uint64_t now = cluster.revision().sequence();
  const size_t kept = options.tail >= 0 ? options.tail : options.follow ? 10 : 50;
  Printer printer(context, format, std::move(kinds), kept);

  // The master remembers some of the past, and does not say how much: less and less is asked for.
  for (uint64_t back : {uint64_t{20'000}, uint64_t{2'000}, uint64_t{200}, uint64_t{0}}) {
    if (kept == 0) back = 0;
    v1::WatchRequest request;
    request.mutable_after()->set_epoch(cluster.revision().epoch());
    request.mutable_after()->set_sequence(back < now ? now - back : 0);
    if (request.after().sequence() >= now) printer.Live();
    if (request.after().sequence() >= now && !options.follow) return kOk;
    grpc::ClientContext call;
    const auto reader = client->stub().Watch(&call, request);
    v1::WatchEvent event;
    bool too_old = false;
    bool done = false;
    while (!done && !too_old && reader->Read(&event)) {
      if (event.has_snapshot()) too_old = back != 0;
      if (event.has_change()) printer.Take(event.change());
      const uint64_t seen = event.has_change()     ? event.change().revision().sequence()
                            : event.has_bookmark() ? event.bookmark().revision().sequence()
                                                   : 0;
      if (seen >= now) printer.Live();
      done = seen >= now && !options.follow;
      if (!context.out.good()) done = true;
    }
    if (too_old || done) call.TryCancel();
    const grpc::Status ended = reader->Finish();
    if (too_old) continue;
    if (done) return kOk;
    RETURN_IF_ERROR(client->Explained(ended));
    return absl::UnavailableError("the master ended the stream; it may have been stopped");
  }
  return kOk;
}

}  // namespace

void AddEvents(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("events", "Show what changed, one line a change");
  verb->group(kLookGroup);
  verb->add_flag("-f,--follow", options->follow, "Go on with what changes from now on");
  verb->add_option("-n,--tail", options->tail, "That many of the past; default 50, with -f 10")
      ->type_name("LINES")
      ->check(CLI::Range(0, 1'000'000));
  verb->add_option("-k,--kind", options->kinds,
                   "agents, frameworks, tasks, offers, roles, or all; default: the first three")
      ->type_name("KINDS");
  AddGlobals(verb, session);
  verb->callback([&session, options] {
    session.action = [&session, options] { return Events(session, *options); };
  });
}

}  // namespace proffer::cli
