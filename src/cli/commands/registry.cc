// proffer registry: looks at, backs up and moves what masters keep.
#include <fstream>
#include <iterator>
#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/document.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/registry/archive.h"
#include "cli/registry/place.h"
#include "cli/table.h"
#include "common/base/status.h"
#include "common/convert/record.h"
#include "proffer/internal/registry.pb.h"

namespace proffer::cli {
namespace {

struct Options {
  std::string place;
  std::string file;
  bool replace = false;
};

// What the record holds. Of a type that this build does not know: nothing.
Node ContentOf(const convert::OpenedRecord& record) {
  const auto parsed = [&record](google::protobuf::Message&& message) {
    return message.ParseFromString(record.payload) ? FromMessage(message) : Node();
  };
  if (record.type == "cluster") return parsed(internal::ClusterRecord());
  if (record.type == "epoch") return parsed(internal::EpochRecord());
  if (record.type == "agent") return parsed(internal::AgentRecord());
  if (record.type == "framework") return parsed(internal::FrameworkRecord());
  if (record.type == "weight") return parsed(internal::WeightRecord());
  return {};
}

absl::StatusOr<int> Dump(Session& session, const Options& options) {
  ASSIGN_OR_RETURN(const Format format, ParseFormat(session.globals.format));
  ASSIGN_OR_RETURN(Place place, Place::Open(options.place));
  ASSIGN_OR_RETURN(const Records records, place.Read());
  std::ostream& out = session.context.out;
  Table table({{"KEY"}, {"BYTES", Table::Align::kRight}, {"CONTENT"}});
  Node list = Node::List();
  for (const auto& [key, value] : records) {
    ASSIGN_OR_RETURN(const convert::OpenedRecord record, convert::OpenRecord(key, value));
    Node content = ContentOf(record);
    std::string line = ToCompactJson(content);
    if (format == Format::kTable && line.size() > 100) line = line.substr(0, 97) + "...";
    table.Add({key, absl::StrCat(value.size()), line});
    Node one = Node::Map();
    one.Set("key", Node::Text(key));
    one.Set("type", Node::Text(record.type));
    one.Set("version", Node::Number(record.version));
    one.Set("content", std::move(content));
    if (format == Format::kJsonLines) out << ToCompactJson(one) << "\n";
    if (format == Format::kName) out << key << "\n";
    list.items.push_back(std::move(one));
  }
  if (IsForPeople(format)) table.Print(out, Style::ForOut(session.context));
  if (format == Format::kJson) out << ToJson(list);
  if (format == Format::kYaml) out << ToYaml(list);
  return kOk;
}

absl::StatusOr<int> Export(Session& session, const Options& options) {
  ASSIGN_OR_RETURN(Place place, Place::Open(options.place));
  ASSIGN_OR_RETURN(const Records records, place.Read());
  ASSIGN_OR_RETURN(const Identity identity, IdentityOf(records));
  const std::string archive = ToArchive(records);
  // Damage is found now, not on the day when the file is needed.
  RETURN_IF_ERROR(FromArchive(archive).status());
  if (options.file == "-") {
    session.context.out << archive;
    return kOk;
  }
  std::ofstream out(options.file, std::ios::binary);
  if (!(out << archive << std::flush)) {
    return absl::PermissionDeniedError(absl::StrCat(options.file, " cannot be written"));
  }
  session.context.err << "exported " << records.size() << " records of cluster " << identity.cluster
                      << ", epoch " << identity.epoch << "\n";
  return kOk;
}

absl::StatusOr<int> Import(Session& session, const Options& options) {
  std::ifstream in(options.file, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat("there is no file ", options.file));
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  absl::StatusOr<Records> records = FromArchive(text);
  if (!records.ok()) return Annotate(records.status(), options.file);
  ASSIGN_OR_RETURN(const Identity identity, IdentityOf(*records));
  ASSIGN_OR_RETURN(Place place, Place::Open(options.place, identity.cluster));
  ASSIGN_OR_RETURN(const uint64_t epoch, place.Replace(*records, options.replace));
  session.context.out << "imported " << records->size() << " records of cluster "
                      << identity.cluster << " into " << options.place << ", epoch " << epoch
                      << "; start masters there\n";
  return kOk;
}

}  // namespace

void AddRegistry(CLI::App& app, Session& session) {
  constexpr char kPlace[] = "A master's --zk (zk://host:port,.../chroot) or its --work_dir";
  CLI::App* registry =
      app.add_subcommand("registry", "Look at, back up and move what masters keep");
  registry->group(kActGroup);
  registry->require_subcommand(0, 1);
  auto options = std::make_shared<Options>();

  CLI::App* dump = registry->add_subcommand("dump", "Show every record");
  dump->add_option("PLACE", options->place, kPlace)->required();
  AddGlobals(dump, session);
  dump->callback([&session, options] {
    session.action = [&session, options] { return Dump(session, *options); };
  });

  CLI::App* to_file = registry->add_subcommand("export", "Write all records into a file");
  to_file->add_option("PLACE", options->place, kPlace)->required();
  to_file->add_option("FILE", options->file, "The file; - for standard output")->required();
  to_file->callback([&session, options] {
    session.action = [&session, options] { return Export(session, *options); };
  });

  CLI::App* from_file = registry->add_subcommand(
      "import", "Put the records of a file into a place where no master leads");
  from_file->add_option("FILE", options->file, "What `proffer registry export` wrote")->required();
  from_file->add_option("PLACE", options->place, kPlace)->required();
  from_file->add_flag("--replace", options->replace, "Even if there are records of this cluster");
  from_file->callback([&session, options] {
    session.action = [&session, options] { return Import(session, *options); };
  });
}

}  // namespace proffer::cli
