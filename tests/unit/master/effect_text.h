// The effects of a master core, each as one readable line.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "master/core/effects.h"

namespace proffer::master {

// Names for ids and streams, so that a conversation reads well whatever the ids are.
class Names {
 public:
  void OfId(const std::string& id, const std::string& name) { of_id_[id] = name; }
  void OfStream(StreamId stream, const std::string& name) { of_stream_[stream] = name; }
  std::string Stream(StreamId stream) const;
  // With every known id replaced by its name.
  std::string Rename(std::string text) const;
  // The id behind a name, or the name itself.
  std::string Id(const std::string& name) const;

 private:
  std::map<std::string, std::string> of_id_;
  std::map<StreamId, std::string> of_stream_;
};

std::string Text(const Record& record);
std::string Text(const model::AgentOrder& order);
std::string Text(const model::SchedulerEvent& event);
std::string Text(const model::TaskStatus& status);
std::string Text(const model::Outcome& outcome);
std::string Text(const View& view);
// What names a view among those of its kind.
std::string KeyOf(const View& view);

// Sent so often that they drown everything else.
bool IsPulse(const model::AgentOrder& order);
bool IsPulse(const model::SchedulerEvent& event);

}  // namespace proffer::master
