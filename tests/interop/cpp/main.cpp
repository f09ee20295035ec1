// Goes through the rows of idl/vectors/conformance.tsv and prints what came of each.

#include <fstream>
#include <iostream>
#include <random>

#include "caller.h"
#include "describe.h"

using namespace conformance;

// The compiler leaves a struct's order to its user.
bool Point::operator<(const Point& other) const { return x != other.x ? x < other.x : y < other.y; }

namespace {

using Row = std::vector<std::string>;

std::string shown(const std::string& text) { return text; }
std::string shown(bool value) { return value ? "true" : "false"; }
template <typename T>
std::string shown(const T& value) {
  return std::to_string(value);
}

template <typename T>
void expect(const std::string& what, const T& got, const T& wanted) {
  if (got != wanted) throw std::runtime_error(what + ": " + shown(got) + ", not " + shown(wanted));
}

std::string unhex(const std::string& digits) {
  std::string content;
  for (size_t i = 0; i < digits.size(); i += 2) content += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return content;
}

std::string pattern(size_t length) {
  std::string content;
  for (size_t i = 0; i < length; i++) content += static_cast<char>(31 * i + length);
  return content;
}

// Has the server describe and echo a value that is described here, too. The methods return by reference.
template <typename T>
void both(Caller& caller, const T& value, const std::string& text,
          void (ConformanceClient::*describe)(std::string&, const T&), void (ConformanceClient::*echo)(T&, const T&)) {
  expect("own decoding", describe::of(value), text);
  if (describe != nullptr) {
    std::string words;
    (*caller.service.*describe)(words, value);
    expect("describe", words, text);
  }
  if (echo != nullptr) {
    T answer;
    (*caller.service.*echo)(answer, value);
    expect("echo", describe::of(answer), text);
  }
}

Everything compose(Caller& caller, const std::string& name) {
  Everything value;
  caller.service->Compose(value, name);
  return value;
}

Outcome::type outcome(const std::string& name) {
  static const std::map<std::string, Outcome::type> outcomes = {{"value", Outcome::VALUE},
                                                                {"not_found", Outcome::NOT_FOUND},
                                                                {"conflict", Outcome::CONFLICT},
                                                                {"nothing", Outcome::NOTHING},
                                                                {"undeclared", Outcome::UNDECLARED}};
  return outcomes.at(name);
}

template <typename Call>
void risk(Caller& caller, const std::string& text, Call call) {
  std::string came;
  try {
    came = call();
  } catch (const NotFound& lost) {
    came = "NotFound \"" + lost.name + "\"";
  } catch (const Conflict& conflict) {
    came = "Conflict " + std::to_string(conflict.code) + " with " + conflict.reason + " at " + describe::of(conflict.where);
  } catch (const Nothing&) {
    came = "Nothing";
  } catch (const apache::thrift::TApplicationException& refused) {
    came = "TApplicationException " + std::to_string(refused.getType());
  }
  expect("outcome", came, text);
  caller.service->Ping();
}

void oneway(Caller& caller) {
  std::random_device random;
  const std::string owner = std::to_string(random()) + "-" + std::to_string(random());
  for (int count = 1; count <= 3; count++) {
    const std::string number = std::to_string(count);
    caller.service->Note(owner + ": note " + number + " · нота");
    std::string notes;
    caller.service->Notes(notes, owner);
    expect("notes", notes, number + " note " + number + " · нота");
  }
}

void unknownMethod(Caller& caller) {
  for (int i = 0; i < 3; i++) {
    try {
      throw std::runtime_error("an answer, " + std::to_string(caller.other->Missing(1)));
    } catch (const apache::thrift::TApplicationException& refused) {
      expect("code", static_cast<int>(refused.getType()), 1);
    }
    caller.service->Ping();
  }
}

void call(Caller& caller, const std::string& name) {
  if (name == "ping") return caller.service->Ping();
  if (name == "oneway") return oneway(caller);
  if (name == "unknown_method") return unknownMethod(caller);
  if (name == "sequence_ids") return caller.sequenceIds();
  throw std::runtime_error("an unknown case");
}

void run(Caller& caller, const Row& row) {
  const std::string &kind = row[0], &name = row[1], &value = row[2], &text = row[3];
  ConformanceClient& service = *caller.service;
  using C = ConformanceClient;
  std::string answer;
  if (kind == "bool") {
    expect("echo", service.EchoBool(value == "true"), value == "true");
  } else if (kind == "i8") {
    expect("echo", static_cast<int64_t>(service.EchoI8(static_cast<int8_t>(std::stoll(value)))), int64_t{std::stoll(value)});
  } else if (kind == "i16") {
    expect("echo", static_cast<int64_t>(service.EchoI16(static_cast<int16_t>(std::stoll(value)))), int64_t{std::stoll(value)});
  } else if (kind == "i32") {
    expect("echo", static_cast<int64_t>(service.EchoI32(static_cast<int32_t>(std::stoll(value)))), int64_t{std::stoll(value)});
  } else if (kind == "i64") {
    expect("echo", service.EchoI64(std::stoll(value)), int64_t{std::stoll(value)});
  } else if (kind == "double") {
    const uint64_t bits = std::stoull(value, nullptr, 16);
    double number;
    memcpy(&number, &bits, sizeof number);
    expect("echo", describe::of(service.EchoDouble(number)), describe::of(number));
  } else if (kind == "string") {
    both<std::string>(caller, unhex(value), text, &C::DescribeText, &C::EchoString);
  } else if (kind == "binary") {
    both<std::string>(caller, pattern(std::stoul(value)), text, &C::DescribeBinary, &C::EchoBinary);
  } else if (kind == "choice") {
    both<Choice>(caller, Caller::decode<Choice>(unhex(value)), text, nullptr, &C::EchoChoice);
  } else if (kind == "everything") {
    both<Everything>(caller, Caller::decode<Everything>(unhex(value)), text, &C::DescribeEverything, &C::EchoEverything);
    expect("compose", describe::of(compose(caller, name)), text);
  } else if (kind == "arguments") {
    service.DescribeScalars(answer, true, -5, -300, 70000, -(int64_t{1} << 40), 1.5, Colour::VIOLET);
    expect("describe", answer, text);
  } else if (kind == "defaults") {
    service.DescribeDefaults(answer, Defaults());
    expect("describe", answer, text);
  } else if (kind == "newer") {
    caller.other->DescribeNarrow(answer, compose(caller, "full"));
    expect("describe", answer, text);
  } else if (kind == "older") {
    Narrow narrow;
    caller.other->Compose(narrow, "full");
    expect("compose", describe::of(narrow), text);
  } else if (kind == "risk") {
    risk(caller, text, [&] { return service.Risk(answer, outcome(name)), answer; });
  } else if (kind == "risk_void") {
    risk(caller, text, [&] { return service.RiskVoid(outcome(name)), std::string("-"); });
  } else if (kind == "call") {
    call(caller, name);
  } else if (kind == "struct_keys") {
    Point one, two;
    one.x = 1, one.y = 2, two.x = -1, two.y = INT32_MAX;
    both<std::map<Point, std::string>>(caller, {{one, "one"}, {two, "two"}}, text, &C::DescribeStructKeys, &C::EchoStructKeys);
  } else if (kind == "lists_in_set") {
    both<std::set<std::vector<int32_t>>>(caller, {{}, {1, 2}, {-3}}, text, &C::DescribeListsInSet, &C::EchoListsInSet);
  } else if (kind == "uuid" || kind == "identified") {
    throw std::runtime_error("the library has no uuid");
  } else {
    throw std::runtime_error("an unknown kind of case");
  }
}

Row columns(const std::string& line) {
  Row row;
  std::istringstream text(line);
  for (std::string column; std::getline(text, column, '\t');) row.push_back(column);
  return row;
}

std::string reason(const std::exception& error) {
  const size_t longest = 300;
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.substr(0, longest);
}

}  // namespace

int main(int count, char** words) {
  std::map<std::string, std::string> arguments;
  for (int i = 1; i + 1 < count; i += 2) arguments[words[i]] = words[i + 1];
  try {
    Caller caller(arguments);
    std::ifstream vectors(arguments["--vectors"]);
    for (std::string line; std::getline(vectors, line);) {
      if (line.empty() || line[0] == '#') continue;
      const Row row = columns(line);
      try {
        run(caller, row);
        std::cout << row[0] << "/" << row[1] << "\tpass" << std::endl;
      } catch (const std::exception& error) {
        std::cout << row[0] << "/" << row[1] << "\tFAIL\t" << reason(error) << std::endl;
        caller.connect();
      }
    }
  } catch (const Unsupported& no) {
    std::cerr << no.what() << std::endl;
    return 3;
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
