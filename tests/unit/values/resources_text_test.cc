// The text form of resources: read, refused, printed.
#include <gtest/gtest.h>

#include <string>

#include "common/base/limits.h"
#include "common/base/prng.h"
#include "proffer/resources.h"
#include "unit/values/random_values.h"

namespace proffer {
namespace {

TEST(ResourcesText, IsReadAndPrintedCanonically) {
  const struct {
    const char* text;
    const char* printed;
  } kCases[] = {
      {"", ""},
      {"  ", ""},
      {"cpus:0;mem:0;ports:[];zones:{}", ""},
      {"ports:[31000-32000];mem:8GiB;cpus:4;zones:{b,a}",
       "cpus:4;mem:8GiB;ports:[31000-32000];zones:{a,b}"},
      {"cpus:1;cpus:1.5", "cpus:2.5"},
      {" cpus: 4 ; mem: 8GiB ", "cpus:4;mem:8GiB"},
      {"ports:[3];ports:[1-2]", "ports:[1-3]"},
      {"zones:{c};zones:{a, b}", "zones:{a,b,c}"},
      {"cpus@eng/prod:2;cpus:1", "cpus:1;cpus@eng/prod:2"},
      {"disk@eng=alice@eng/db=bob(volume=v1,path=data):10GiB",
       "disk@eng=alice@eng/db=bob(volume=v1,path=data):10GiB"},
      {"disk@eng=al%69ce%40x(path=a/b,source=root,volume=v%201,shared):1GiB",
       "disk@eng=alice%40x(shared,volume=v%201,path=a/b):1GiB"},
      {"cpus(revocable):1", "cpus(revocable):1"},
      {"disk(source=root):1GiB", "disk:1GiB"},
      {"disk(source=path:/mnt/a):1GiB;disk(source=mount:/mnt/b%20c):2GiB",
       "disk(source=path:/mnt/a):1GiB;disk(source=mount:/mnt/b%20c):2GiB"},
      {"disk@eng(shared,volume=v,path=p):1GiB;disk@eng(shared,volume=v,path=p):1GiB",
       "disk@eng(shared,volume=v,path=p):1GiB;disk@eng(shared,volume=v,path=p):1GiB"},
      {"zones:{%7B,x%2Cy}", "zones:{x%2Cy,%7B}"},
      {"vlans:[1-9];licences:2.5", "licences:2.5;vlans:[1-9]"},
  };
  for (const auto& c : kCases) {
    const auto resources = Resources::Parse(c.text);
    ASSERT_TRUE(resources.ok()) << c.text << " " << resources.status();
    EXPECT_EQ(resources->ToString(), c.printed);
    EXPECT_EQ(*Resources::Parse(resources->ToString()), *resources);
  }
}

TEST(ResourcesText, RefusalsSayWhatWasExpectedWhatWasFoundAndWhatToDo) {
  const std::string item =
      "resources: expected name:value like \"cpus:4\" or \"cpus@role:4\", found ";
  const struct {
    const char* text;
    std::string message;
  } kCases[] = {
      {"mem:512",
       "mem: expected a number with a unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB) like "
       "\"512MiB\", found \"512\"; write \"512MiB\" if megabytes were meant"},
      {"cpus", item + "\"cpus\"; give it a value"},
      {"cpus:4;", item + "\"\"; separate items by single semicolons"},
      {"cpus@eng", item + "\"cpus@eng\"; put a \":\" before the value"},
      {"cpus(revocable:1", item + "\"cpus(revocable:1\"; close the parenthesis"},
      {"cpus(revocable)4", item + "\"cpus(revocable)4\"; put a \":\" before the value"},
      {"cpus:",
       "cpus: expected a number with at most 3 decimals like \"1.5\", found \"\"; write "
       "digits, with a decimal point if needed"},
      {"cpus:[1-2]",
       "cpus: expected a number with at most 3 decimals like \"1.5\", found \"[1-2]\"; write "
       "digits, with a decimal point if needed"},
      {"ports:3",
       "ports: expected ranges like \"[31000-32000,33000]\", found \"3\"; put the values in "
       "square brackets"},
      {"ports:[5-3]",
       "ports: expected ranges like \"[31000-32000,33000]\", found \"5-3\"; write the smaller "
       "value first"},
      {"ports:[1-5];ports:[5]",
       "ports: expected ranges like \"[31000-32000,33000]\", found \"1-5,5\"; these overlap: give "
       "every value once"},
      {"9x:1",
       "name: expected a letter and then at most 62 of [A-Za-z0-9_.-], found \"9x\"; start it "
       "with a letter"},
      {"cpus@*:1",
       "cpus: expected the role of a reservation, found \"*\"; leave the reservation away if none "
       "is meant"},
      {"cpus@a//b:1",
       "cpus: role: expected \"*\", or a path like \"eng/prod\" of [A-Za-z0-9._-], found \"a//b\"; "
       "put single slashes between the parts, none at the ends"},
      {"cpus@eng@ops=al:1",
       "cpus: expected a role below \"eng\", found \"ops\"; a reservation on top of another "
       "refines it, like \"cpus@eng@eng/prod=alice:1\""},
      {"cpus@eng@eng=al:1",
       "cpus: expected a role below \"eng\", found \"eng\"; a reservation on top of another "
       "refines it, like \"cpus@eng@eng/prod=alice:1\""},
      {"cpus@eng@eng/prod:1",
       "cpus: expected a principal for every reservation but the outermost, found \"eng/prod\"; "
       "only the outermost can be static; write \"role=principal\""},
      {"cpus@eng=:1",
       "cpus: expected a principal of [A-Za-z0-9._/-], found \"\"; write other characters as %XX, "
       "like \"%20\" for a blank"},
      {"cpus@eng=a%2:1",
       "cpus: expected a principal of [A-Za-z0-9._/-], found \"a%2\"; write other characters as "
       "%XX, like \"%20\" for a blank"},
      {"zones:{a,a}", "zones: expected every set item once, found \"a\"; leave one of them away"},
      {"zones:{a};zones:{a}",
       "zones: expected items that are not there yet, found \"a\"; give every item once"},
      {"zones:{a", "zones: expected a set like \"{a,b}\", found \"{a\"; close the brace"},
      {"zones:{a};zones@eng:2",
       "zones: expected a set like what is there already, found a number; use one form for one "
       "name"},
      {"cpus(fast):1",
       "cpus: expected revocable, shared, source=, volume= or path=, found \"fast\"; leave it away "
       "or correct it"},
      {"cpus(revocable,revocable):1",
       "cpus: expected every qualifier at most once, found \"revocable\"; leave one of them away"},
      {"cpus(shared):1",
       "cpus: expected a volume, because it is shared, found \"cpus(shared):1\"; only persistent "
       "volumes can be shared"},
      {"cpus@eng(volume=v,path=p):1",
       "cpus: expected no source and no volume, found \"cpus@eng(volume=v,path=p):1\"; only "
       "\"disk\" has these"},
      {"cpus(source=root):1",
       "cpus: expected no source and no volume, found \"cpus:1\"; only \"disk\" has these"},
      {"disk(volume=v,path=p):1GiB",
       "disk: expected a reservation, because it is a volume, found "
       "\"disk(volume=v,path=p):1GiB\"; reserve the disk first, like "
       "disk@eng=alice(volume=v1,path=data):1GiB"},
      {"disk@eng(revocable,volume=v,path=p):1GiB",
       "disk: expected a volume or something revocable, not both, found "
       "\"disk@eng(revocable,volume=v,path=p):1GiB\"; what is kept cannot be taken back"},
      {"disk@eng(volume=v,path=../p):1GiB",
       "disk: expected the volume's relative path in the container like \"data\", found \"../p\"; "
       "write it like path=data, without \"..\""},
      {"disk@eng(volume=v,path=/p):1GiB",
       "disk: expected the volume's relative path in the container like \"data\", found \"/p\"; "
       "write it like path=data, without \"..\""},
      {"disk@eng(volume=a/b,path=p):1GiB",
       "disk: expected a volume id in UTF-8 of at most 128 bytes without \"/\", found \"a/b\"; it "
       "must be "
       "fit for a file name"},
      {"disk@eng(volume=v,path=p):0",
       "disk: expected a size above 0, found \"disk@eng(volume=v,path=p):0\"; volumes and mounted "
       "disks are given out whole"},
      {"disk@eng(volume=v,path=p):1GiB;disk@eng(volume=v,path=p):2GiB",
       "disk: expected a volume or mounted disk that is not there yet, found "
       "\"disk@eng(volume=v,path=p):2GiB\" beside \"disk@eng(volume=v,path=p):1GiB\"; only equal "
       "copies of a shared volume may be there more than once"},
      {"disk(source=mount):1GiB",
       "disk: expected a source: root, path:<path> or mount:<path>, found \"mount\"; write it like "
       "source=path:/mnt/ssd"},
      {"disk(source=mount:mnt):1GiB",
       "disk: expected the absolute path of a disk source like \"/mnt/ssd\", found \"mnt\"; write "
       "it like source=path:/mnt/ssd, without \"..\""},
      {"disk(path=p):1GiB",
       "disk: expected a volume for the path, found \"p\"; name the volume, like "
       "(volume=v1,path=data)"},
      {"cpus:9223372036854775;cpus@eng:1",
       "cpus: expected a sum of at most \"9223372036854775.807\", found more with \"cpus@eng:1\"; "
       "use smaller amounts"},
      {"cpus:9223372036854775;cpus:1",
       "cpus: expected a sum of at most \"9223372036854775.807\", found \"9223372036854775\" and "
       "\"1\"; use smaller amounts"},
      {"vlans:[0-4611686018427387904]",
       "vlans: expected at most 9223372036854775 items, found 4611686018427387905; use smaller "
       "ranges"},
  };
  for (const auto& c : kCases) {
    const auto resources = Resources::Parse(c.text);
    ASSERT_FALSE(resources.ok()) << c.text << " gave " << *resources;
    EXPECT_EQ(std::string(resources.status().message()), c.message);
  }
}

TEST(ResourcesText, IsRefusedAboveItsLimit) {
  std::string text = "zones:{a}";
  text.append(limits::kResourcesBytes - text.size(), ' ');
  EXPECT_TRUE(Resources::Parse(text).ok());
  EXPECT_EQ(Resources::Parse(text + " ").status().message(),
            "resources: expected at most 65536 bytes, found 65537; join ranges or split the text");
}

TEST(ResourcesText, ReadingWhatWasPrintedGivesTheSameValue) {
  Prng prng(4);
  for (int i = 0; i < 20'000; ++i) {
    const Resources resources = RandomResources(&prng, 8);
    const std::string text = resources.ToString();
    const auto again = Resources::Parse(text);
    ASSERT_TRUE(again.ok()) << text << " " << again.status();
    ASSERT_EQ(*again, resources) << text;
    ASSERT_EQ(again->ToString(), text);
  }
}

}  // namespace
}  // namespace proffer
