#include "cli/table.h"

#include <algorithm>
#include <utility>

namespace proffer::cli {
namespace {

std::string Painted(const Style& style, const Table::Cell& cell) {
  switch (cell.paint) {
    case Table::Paint::kGood:
      return style.Green(cell.text);
    case Table::Paint::kWarn:
      return style.Yellow(cell.text);
    case Table::Paint::kBad:
      return style.Red(cell.text);
    case Table::Paint::kDim:
      return style.Dim(cell.text);
    case Table::Paint::kPlain:
      break;
  }
  return cell.text;
}

}  // namespace

size_t DisplayWidth(const std::string& text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

void Table::Print(std::ostream& out, const Style& style, const std::string& indent) const {
  std::vector<size_t> widths(columns_.size(), 0);
  size_t last = 0;
  for (size_t column = 0; column < columns_.size(); ++column) {
    for (const std::vector<Cell>& row : rows_) {
      widths[column] = std::max(widths[column], DisplayWidth(row[column].text));
    }
    if (widths[column] == 0) continue;
    widths[column] = std::max(widths[column], DisplayWidth(columns_[column].title));
    last = column;
  }
  const auto line = [&](const auto& cell_of) {
    out << indent;
    std::string blanks;  // Written once something follows them.
    for (size_t column = 0; column <= last; ++column) {
      if (widths[column] == 0) continue;
      const Cell cell = cell_of(column);
      const std::string padding(widths[column] - DisplayWidth(cell.text), ' ');
      const bool right = columns_[column].align == Align::kRight;
      if (right) blanks += padding;
      if (!cell.text.empty()) out << std::exchange(blanks, "") << Painted(style, cell);
      if (!right) blanks += padding;
      blanks += "  ";
    }
    out << "\n";
  };
  line([&](size_t column) { return Cell(columns_[column].title, Paint::kDim); });
  for (const std::vector<Cell>& row : rows_) {
    line([&](size_t column) { return row[column]; });
  }
}

}  // namespace proffer::cli
