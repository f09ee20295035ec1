// A value in words, the same in every language; examples/conformance/describe.rs has the grammar.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gen/conformance_types.h"

namespace describe {

using Words = std::vector<std::string>;

inline std::string join(const Words& words, const char* before, const char* behind) {
  std::string all = before;
  for (size_t i = 0; i < words.size(); i++) all += (i > 0 ? "," : "") + words[i];
  return all + behind;
}

inline std::string sorted(Words words) {
  std::sort(words.begin(), words.end());
  return join(words, "{", "}");
}

inline std::string of(bool value) { return value ? "true" : "false"; }
inline std::string of(int8_t value) { return std::to_string(value); }
inline std::string of(int16_t value) { return std::to_string(value); }
inline std::string of(int32_t value) { return std::to_string(value); }
inline std::string of(int64_t value) { return std::to_string(value); }
inline std::string of(conformance::Colour::type value) { return std::to_string(static_cast<int>(value)); }

inline std::string hex(uint64_t value, int digits) {
  char text[17];
  snprintf(text, sizeof text, "%0*llx", digits, static_cast<unsigned long long>(value));
  return text;
}

inline std::string of(double value) {
  if (std::isnan(value)) return "nan";
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return hex(bits, 16);
}

inline uint32_t adler32(const std::string& bytes) {
  uint32_t a = 1, b = 0;
  for (unsigned char byte : bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

// A text's or a binary's: to this library both are std::string.
inline std::string of(const std::string& value) {
  const size_t mostInFull = 32;
  if (value.size() > mostInFull) return '"' + std::to_string(value.size()) + '#' + hex(adler32(value), 8) + '"';
  std::string digits;
  for (unsigned char byte : value) digits += hex(byte, 2);
  return '"' + digits + '"';
}

inline std::string of(const conformance::Point& value) {
  return "(1:" + std::to_string(value.x) + ",2:" + std::to_string(value.y) + ")";
}

// The containers and the structs refer to each other.
inline std::string of(const conformance::Scalars& value);
inline std::string of(const conformance::Optionals& value);
inline std::string of(const conformance::Containers& value);
inline std::string of(const conformance::Choice& value);
template <typename T>
std::string of(const std::vector<T>& items);
template <typename T>
std::string of(const std::set<T>& items);
template <typename K, typename V>
std::string of(const std::map<K, V>& items);
inline std::string of(const conformance::Tree& value);
inline std::string of(const conformance::Chosen& value);

template <typename T>
std::string of(const std::vector<T>& items) {
  Words words;
  for (size_t i = 0; i < items.size(); i++) words.push_back(of(static_cast<const T&>(items[i])));
  return join(words, "[", "]");
}

template <typename T>
std::string of(const std::set<T>& items) {
  Words words;
  for (const auto& item : items) words.push_back(of(item));
  return sorted(words);
}

template <typename K, typename V>
std::string of(const std::map<K, V>& items) {
  Words words;
  for (const auto& item : items) words.push_back(of(item.first) + "=" + of(item.second));
  return sorted(words);
}

// A struct's fields: what is absent is left out.
class Fields {
 public:
  template <typename T>
  Fields& add(bool isSet, int id, const T& value) {
    if (isSet) present_.push_back(std::to_string(id) + ":" + of(value));
    return *this;
  }
  std::string words() const { return join(present_, "(", ")"); }

 private:
  Words present_;
};

inline std::string of(const conformance::Scalars& value) {
  const auto& is = value.__isset;
  return Fields()
      .add(is.flag, 1, value.flag)
      .add(is.tiny, 2, value.tiny)
      .add(is.small, 3, value.small)
      .add(is.medium, 4, value.medium)
      .add(is.large, 5, value.large)
      .add(is.real, 6, value.real)
      .add(is.text, 7, value.text)
      .add(is.blob, 8, value.blob)
      .add(is.colour, 9, value.colour)
      .words();
}

inline std::string of(const conformance::Optionals& value) {
  const auto& is = value.__isset;
  return Fields()
      .add(is.flag, 1, value.flag)
      .add(is.tiny, 2, value.tiny)
      .add(is.small, 3, value.small)
      .add(is.medium, 4, value.medium)
      .add(is.large, 5, value.large)
      .add(is.real, 6, value.real)
      .add(is.text, 7, value.text)
      .add(is.blob, 8, value.blob)
      .add(is.colour, 9, value.colour)
      .add(is.point, 10, value.point)
      .add(is.numbers, 11, value.numbers)
      .words();
}

inline std::string of(const conformance::Containers& value) {
  const auto& is = value.__isset;
  return Fields()
      .add(is.flags, 1, value.flags)
      .add(is.numbers, 2, value.numbers)
      .add(is.table, 3, value.table)
      .add(is.matrix, 4, value.matrix)
      .add(is.nested, 5, value.nested)
      .add(is.tables, 6, value.tables)
      .add(is.maps, 7, value.maps)
      .add(is.points, 8, value.points)
      .add(is.blobs, 9, value.blobs)
      .add(is.colours, 10, value.colours)
      .add(is.words, 11, value.words)
      .words();
}

inline std::string of(const conformance::Tree& value) {
  return Fields().add(true, 1, value.value).add(true, 2, value.children).words();
}

inline std::string of(const conformance::Choice& value) {
  const auto& is = value.__isset;
  return Fields()
      .add(is.flag, 1, value.flag)
      .add(is.large, 2, value.large)
      .add(is.text, 3, value.text)
      .add(is.numbers, 4, value.numbers)
      .add(is.point, 5, value.point)
      .words();
}

inline std::string of(const conformance::Chosen& value) { return "(1:" + of(value.choice) + ")"; }

inline std::string of(const conformance::Everything& value) {
  const auto& is = value.__isset;
  return Fields()
      .add(true, 1, value.scalars)
      .add(is.containers, 2, value.containers)
      .add(is.tree, 3, value.tree)
      .add(is.choices, 4, value.choices)
      .add(is.extras, 20, value.extras)
      .add(is.far, 300, value.far)
      .add(is.farthest, 1000, value.farthest)
      .words();
}

inline std::string of(const conformance::Narrow& value) {
  return Fields().add(value.__isset.farthest, 1000, value.farthest).words();
}

}  // namespace describe
