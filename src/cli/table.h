// Columns of text that line up.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cli/style.h"

namespace proffer::cli {

class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  enum class Paint { kPlain, kGood, kWarn, kBad, kDim };
  struct Cell {
    Cell(std::string t, Paint p = Paint::kPlain) : text(std::move(t)), paint(p) {}  // NOLINT
    Cell(const char* t) : text(t) {}                                                // NOLINT
    std::string text;
    Paint paint = Paint::kPlain;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as columns.
  void Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  // Titles and rows, each line after `indent`. Columns in which no row has anything are left out.
  void Print(std::ostream& out, const Style& style, const std::string& indent = "") const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Characters, not bytes.
size_t DisplayWidth(const std::string& text);

}  // namespace proffer::cli
