// Hostile bytes for the text forms of the value types: whatever is taken prints and reads the
// same, and keeps the laws of its algebra. Anything else aborts.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "proffer/constraints.h"
#include "proffer/resources.h"

namespace {

using absl::string_view;

void Must(bool condition, const char* law, const std::string& value) {
  if (condition) return;
  std::fprintf(stderr, "broken: %s, by: %s\n", law, value.c_str());
  std::abort();
}

// Parse of print is the identity, and every refusal says something.
template <typename T>
bool ReadsAsPrinted(string_view text) {
  const auto value = T::Parse(text);
  if (!value.ok()) {
    Must(!value.status().message().empty(), "a refusal has a reason", std::string(text));
    return false;
  }
  const std::string printed = value->ToString();
  const auto again = T::Parse(printed);
  // Encoding may lengthen a text beyond what is read.
  if (!again.ok() && printed.size() > (64u << 10)) return true;
  Must(again.ok() && *again == *value, "parse of print is the identity", printed);
  Must(again->ToString() == printed, "printing is canonical", printed);
  return true;
}

void KeepsTheLaws(string_view text) {
  using proffer::Resources;
  const Resources all = *Resources::Parse(text);
  const std::string printed = all.ToString();
  Must(all.Contains(all), "contains itself", printed);
  const auto picked = all.Pick(all.Interchangeable().ToQuantities());
  Must(picked.ok() && *picked == all.Interchangeable(), "all can be picked", printed);

  Resources rest = all;
  for (const proffer::Resource& item : all.items()) {
    const auto one = Resources::Make({item});
    Must(one.ok() && all.Contains(*one), "contains each item", printed);
    Must(rest.Subtract(*one).ok(), "each item can be taken", printed);
    Must(!rest.Contains(all), "then it is gone", printed);
  }
  Must(rest.empty(), "nothing else is left", printed);
  for (size_t i = all.items().size(); i > 0; --i) {
    Must(rest.Add(all.items()[i - 1]).ok(), "and can be put back", printed);
  }
  Must(rest == all, "all is as it was", printed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const string_view text(reinterpret_cast<const char*>(data), size);
  if (ReadsAsPrinted<proffer::Resources>(text)) KeepsTheLaws(text);
  ReadsAsPrinted<proffer::Quantities>(text);
  ReadsAsPrinted<proffer::Ranges>(text);
  ReadsAsPrinted<proffer::Attributes>(text);
  ReadsAsPrinted<proffer::Constraint>(text);
  return 0;
}
