#include "cli/names.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/describe.h"
#include "cli/suggest.h"

namespace proffer::cli {
namespace {

constexpr size_t kShownCandidates = 10;

std::vector<std::string> NamesOf(const v1::Object& object) {
  if (object.has_agent()) return {object.agent().hostname(), object.agent().agent_id()};
  if (object.has_framework()) {
    return {object.framework().name(), object.framework().framework_id()};
  }
  if (object.has_task()) {
    const v1::TaskView& task = object.task();
    return {task.task_id(), task.name(), absl::StrCat(task.framework_name(), "/", task.task_id()),
            absl::StrCat(task.framework_id(), "/", task.task_id())};
  }
  return {NameOf(object)};
}

// Which of two attempts of one task is meant.
bool Precedes(const v1::Object& a, const v1::Object& b) {
  const auto rank = [](const v1::Object& object) {
    const v1::TaskView& task = object.task();
    return std::make_tuple(IsLive(task), task.attempt().epoch(), task.attempt().n());
  };
  return rank(a) > rank(b);
}

// Attempts of one task become one.
std::vector<const v1::Object*> Merged(const std::vector<const v1::Object*>& found) {
  std::vector<const v1::Object*> merged;
  std::map<std::pair<std::string, std::string>, size_t> tasks;
  for (const v1::Object* object : found) {
    if (!object->has_task()) {
      merged.push_back(object);
      continue;
    }
    const auto [at, is_new] =
        tasks.try_emplace({object->task().framework_id(), object->task().task_id()}, merged.size());
    if (is_new) {
      merged.push_back(object);
    } else if (Precedes(*object, *merged[at->second])) {
      merged[at->second] = object;
    }
  }
  return merged;
}

std::string Kinds(const std::vector<v1::Object>& objects) {
  std::set<std::string> kinds;
  for (const v1::Object& object : objects) kinds.insert(KindWord(object));
  if (kinds.empty()) return "thing";
  std::string text;
  size_t index = 0;
  for (const std::string& kind : kinds) {
    absl::StrAppend(&text, index == 0 ? "" : index + 1 == kinds.size() ? " or " : ", ", kind);
    ++index;
  }
  return text;
}

absl::Status Ambiguous(const std::string& subject, const std::vector<const v1::Object*>& found) {
  std::string text = absl::StrCat("\"", subject, "\" may mean ", found.size(), " things:");
  for (size_t i = 0; i < found.size() && i < kShownCandidates; ++i) {
    absl::StrAppend(&text, "\n  ", OneLine(*found[i]));
  }
  if (found.size() > kShownCandidates) absl::StrAppend(&text, "\n  ...");
  return absl::FailedPreconditionError(absl::StrCat(text, "\nsay more of the name, or the id"));
}

}  // namespace

absl::StatusOr<v1::Object> Resolve(const std::vector<v1::Object>& objects,
                                   const std::string& subject) {
  std::vector<const v1::Object*> exact;
  std::vector<const v1::Object*> prefix;
  std::vector<std::string> known;
  for (const v1::Object& object : objects) {
    const std::vector<std::string> names = NamesOf(object);
    known.push_back(names[0]);
    if (std::find(names.begin(), names.end(), subject) != names.end()) {
      exact.push_back(&object);
    } else if (std::any_of(names.begin(), names.end(), [&](const std::string& name) {
                 return absl::StartsWith(name, subject);
               })) {
      prefix.push_back(&object);
    }
  }
  std::vector<const v1::Object*> found = Merged(exact.empty() ? prefix : exact);
  // Several of one name, of which one lives: that one is meant.
  if (found.size() > 1) {
    std::vector<const v1::Object*> live;
    for (const v1::Object* object : found) {
      const bool over = (object->has_task() && !IsLive(object->task())) ||
                        (object->has_agent() && object->agent().state() == v1::AGENT_GONE_STATE) ||
                        (object->has_framework() && object->framework().removed());
      if (!over) live.push_back(object);
    }
    if (live.size() == 1) found = live;
  }
  if (found.size() == 1) return *found[0];
  if (found.size() > 1) return Ambiguous(subject, found);
  const std::string nearest = Nearest(subject, known);
  return absl::NotFoundError(absl::StrCat(
      "no ", Kinds(objects), " is called \"", subject, "\"",
      nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?"),
      nearest.empty()
          ? "; `proffer ls tasks --all`, `proffer ls frameworks` and `proffer ls agents`"
            " list what there is"
          : ""));
}

}  // namespace proffer::cli
