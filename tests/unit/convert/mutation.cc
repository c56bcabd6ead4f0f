// Implementation of mutation.h.
#include "unit/convert/mutation.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace proffer::convert {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

template <typename T>
T Extreme(Prng* prng) {
  using Limits = std::numeric_limits<T>;
  constexpr int64_t kPool[] = {0, 1, -1, 2, 1000, int64_t{1} << 31, (int64_t{1} << 62) + 1};
  switch (prng->Below(4)) {
    case 0:
      return Limits::max();
    case 1:
      return Limits::min();
    default:
      return static_cast<T>(kPool[prng->Below(std::size(kPool))]);
  }
}

std::string ExtremeText(Prng* prng) {
  switch (prng->Below(6)) {
    case 0:
      return "";
    case 1:
      return "../" + prng->Word(3);
    case 2:
      return std::string(1, '\0');
    case 3:  // Ends of our bounds, in characters of several bytes.
      return prng->Word(static_cast<int>(prng->Below(4))) + [] {
        std::string text;
        while (text.size() < 5000) text += "\xF0\x9F\x90\xA2";
        return text;
      }();
    case 4:
      return std::string(prng->Below(70'000), 'x');
    default:
      return "*";
  }
}

// All messages in it, itself first.
void Collect(Message* message, std::vector<Message*>* all) {
  all->push_back(message);
  std::vector<const FieldDescriptor*> fields;
  const Reflection* reflection = message->GetReflection();
  reflection->ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (!field->is_repeated()) {
      Collect(reflection->MutableMessage(message, field), all);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
      Collect(reflection->MutableRepeatedMessage(message, field, i), all);
    }
  }
}

void Set(Prng* prng, Message* message, const FieldDescriptor* field) {
  const Reflection* reflection = message->GetReflection();
  const bool add = field->is_repeated();
  switch (field->cpp_type()) {
#define PROFFER_NUMBER(kind, type, Name)            \
  case FieldDescriptor::CPPTYPE_##kind: {           \
    const type value = Extreme<type>(prng);         \
    if (add) {                                      \
      reflection->Add##Name(message, field, value); \
    } else {                                        \
      reflection->Set##Name(message, field, value); \
    }                                               \
    break;                                          \
  }
    PROFFER_NUMBER(INT32, int32_t, Int32)
    PROFFER_NUMBER(INT64, int64_t, Int64)
    PROFFER_NUMBER(UINT32, uint32_t, UInt32)
    PROFFER_NUMBER(UINT64, uint64_t, UInt64)
    PROFFER_NUMBER(ENUM, int, EnumValue)
#undef PROFFER_NUMBER
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!add) reflection->SetBool(message, field, !reflection->GetBool(*message, field));
      break;
    case FieldDescriptor::CPPTYPE_STRING:
      if (add) {
        reflection->AddString(message, field, ExtremeText(prng));
      } else {
        reflection->SetString(message, field, ExtremeText(prng));
      }
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (!add) {
        reflection->MutableMessage(message, field);
      } else if (!field->is_map()) {
        // Many equal ones; now and then more than any bound allows.
        const int size = reflection->FieldSize(*message, field);
        const int copies = prng->Chance(1, 20) ? 10'001 : static_cast<int>(prng->Below(4));
        for (int i = 0; i < copies; ++i) {
          Message* added = reflection->AddMessage(message, field);
          if (size > 0) added->CopyFrom(reflection->GetRepeatedMessage(*message, field, 0));
        }
      }
      break;
    default:
      break;
  }
}

}  // namespace

void DamageBytes(Prng* prng, std::string* bytes) {
  for (int64_t i = prng->Between(1, 4); i > 0; --i) {
    const uint64_t at = prng->Below(bytes->size() + 1);
    const uint64_t some = prng->Below(std::min<uint64_t>(bytes->size() - at, 16) + 1);
    switch (prng->Below(7)) {
      case 0:
        if (at < bytes->size()) {
          (*bytes)[at] = static_cast<char>((*bytes)[at] ^ 1 << prng->Below(8));
        }
        break;
      case 1:
        if (at < bytes->size()) (*bytes)[at] = static_cast<char>(prng->Below(256));
        break;
      case 2:
        bytes->insert(at, 1, static_cast<char>(prng->Below(256)));
        break;
      case 3:
        bytes->erase(at, some);
        break;
      case 4:
        bytes->insert(at, bytes->substr(at, some));
        break;
      case 5:
        if (prng->Chance(1, 4)) bytes->resize(at);
        break;
      default:
        // Groups in groups: of a field that no message has.
        if (prng->Chance(1, 4)) {
          const size_t depth = prng->Chance(1, 2) ? 50 : 20'000;
          bytes->append(depth, '\x7B');
          if (prng->Chance(1, 2)) bytes->append(depth, '\x7C');
        }
    }
  }
}

void DamageField(Prng* prng, Message* message) {
  std::vector<Message*> all;
  Collect(message, &all);
  Message* chosen = all[prng->Below(all.size())];
  const google::protobuf::Descriptor* type = chosen->GetDescriptor();
  if (type->field_count() == 0) return;
  const FieldDescriptor* field = type->field(static_cast<int>(prng->Below(type->field_count())));
  if (prng->Chance(1, 6)) {
    chosen->GetReflection()->ClearField(chosen, field);
  } else {
    Set(prng, chosen, field);
  }
}

}  // namespace proffer::convert
