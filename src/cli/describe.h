// Objects of the cluster in words: their names, states and ends.
#pragma once

#include <string>
#include <vector>

#include "cli/table.h"
#include "proffer/v1/operator.pb.h"

namespace proffer::cli {

bool IsLive(const v1::TaskView& task);  // It has not ended, for all that is known.

// A framework that `run -d` left behind: disconnected on purpose, with one task of its own name.
bool IsDetachedRun(const v1::FrameworkView& framework, const std::vector<v1::Object>& tasks);

const char* StateWord(v1::AgentState state);
const char* StateWord(const v1::FrameworkView& framework);
const char* StateWord(v1::TaskState state);
// With the exit code or signal of what has ended: "FAILED exit 3", "RUNNING".
std::string StateWord(const v1::TaskView& task);
Table::Paint PaintOf(v1::AgentState state);
Table::Paint PaintOf(const v1::FrameworkView& framework);
Table::Paint PaintOf(const v1::TaskView& task);

// "exit 3", "signal 9 (KILL)", "ran out of its time"; "" for a task that lives.
std::string EndOf(const v1::TaskView& task);
// "0.2 of 1": processor time a second since it runs, and what it accepted; "" if it is not known.
std::string CpuUsed(const v1::TaskView& task, int64_t now_unix_ms);
// "12MiB of 64MiB"; "" if it is not known.
std::string MemUsed(const v1::TaskView& task);
// "KILL" of 9; "" for what has no name.
std::string SignalName(int signal);

// What people call it: the hostname of an agent, the name of a framework, the id of a task, ...
std::string NameOf(const v1::Object& object);
// "agent", "framework", ...
const char* KindWord(const v1::Object& object);
// One line for lists of candidates: "task web.1 of framework web on a2, RUNNING".
std::string OneLine(const v1::Object& object);
std::string Print(const v1::EpochId& id);
// The constraints of a demand as they are written: "rack!=r1 && zone==z".
std::string PrintConstraints(const google::protobuf::RepeatedPtrField<v1::Constraint>& list);

}  // namespace proffer::cli
