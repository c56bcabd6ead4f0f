// Runs a fuzz entry without a fuzzer: over every file of a corpus, then over random mutations of
// them. Usage: <program> <corpus folder> <mutations>. The same seed every time.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "common/base/prng.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

std::vector<std::string> ReadCorpus(const char* folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const std::string& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    // Editors end files with a newline, which is no part of the input.
    if (!corpus.back().empty() && corpus.back().back() == '\n') corpus.back().pop_back();
  }
  return corpus;
}

// One small change, or a piece of another input.
void Mutate(const std::vector<std::string>& corpus, proffer::Prng* prng, std::string* text) {
  const size_t at = prng->Below(text->size() + 1);
  const size_t length = prng->Below(std::min<size_t>(text->size() - at, 8) + 1);
  switch (prng->Below(6)) {
    case 0:
      text->insert(at, 1, static_cast<char>(prng->Below(256)));
      break;
    case 1:
      text->erase(at, length);
      break;
    case 2:
      text->insert(at, text->substr(at, length));
      break;
    case 3:
      if (at < text->size()) (*text)[at] ^= static_cast<char>(1 << prng->Below(8));
      break;
    case 4:
      text->insert(at, std::to_string(prng->Next() >> prng->Below(64)));
      break;
    default: {
      const std::string& other = corpus[prng->Below(corpus.size())];
      const size_t from = prng->Below(other.size() + 1);
      text->insert(at, other.substr(from, prng->Below(24)));
    }
  }
}

void Run(const std::string& text) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "expected a corpus folder and a number of mutations\n");
    return 2;
  }
  const std::vector<std::string> corpus = ReadCorpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "expected files in %s, found none\n", argv[1]);
    return 2;
  }
  for (const std::string& text : corpus) Run(text);
  proffer::Prng prng(20'000);
  for (int i = std::atoi(argv[2]); i > 0; --i) {
    std::string text = corpus[prng.Below(corpus.size())];
    do {
      Mutate(corpus, &prng, &text);
    } while (prng.Chance(1, 3));
    Run(text);
  }
  return 0;
}
