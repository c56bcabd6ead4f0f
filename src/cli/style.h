// Colours, where somebody looks: on a terminal, unless NO_COLOR is set.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/context.h"

namespace proffer::cli {

class Style {
 public:
  explicit Style(bool on) : on_(on) {}
  static Style ForOut(const Context& context) { return Style(Wanted(context, context.out_is_tty)); }
  static Style ForErr(const Context& context) { return Style(Wanted(context, context.err_is_tty)); }

  std::string Bold(absl::string_view text) const { return Paint("1", text); }
  std::string Dim(absl::string_view text) const { return Paint("2", text); }
  std::string Red(absl::string_view text) const { return Paint("31", text); }
  std::string Green(absl::string_view text) const { return Paint("32", text); }
  std::string Yellow(absl::string_view text) const { return Paint("33", text); }

 private:
  static bool Wanted(const Context& context, bool tty) {
    return tty && context.environment("NO_COLOR").empty() && context.environment("TERM") != "dumb";
  }
  std::string Paint(const char* code, absl::string_view text) const {
    if (!on_ || text.empty()) return std::string(text);
    return absl::StrCat("\033[", code, "m", text, "\033[0m");
  }

  bool on_;
};

}  // namespace proffer::cli
