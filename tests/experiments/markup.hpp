#pragma once

#include <string>
#include <vector>

/// What is wrong with a piece of XML, "" if its elements nest, its attributes are quoted and its text holds
/// no bare & or <. Knows what our pictures use: elements, attributes, text, entities.
inline std::string markup_fault(const std::string& xml) {
  std::vector<std::string> open;
  std::size_t i = 0;
  const auto entity_ends = [&](std::size_t at) {
    const std::size_t end = xml.find(';', at);
    return end != std::string::npos && end - at <= 6;
  };
  while (i < xml.size()) {
    if (xml[i] == '&' && !entity_ends(i)) return "bare & at " + xml.substr(i, 20);
    if (xml[i] != '<') {
      ++i;
      continue;
    }
    const bool closing = xml[i + 1] == '/';
    std::size_t end = i + 1;
    bool quoted = false;
    while (end < xml.size() && (quoted || xml[end] != '>')) {
      if (xml[end] == '"') quoted = !quoted;
      if (xml[end] == '<') return "bare < at " + xml.substr(i, 40);
      ++end;
    }
    if (end == xml.size()) return "unfinished tag " + xml.substr(i, 40);
    const std::string tag = xml.substr(i + (closing ? 2 : 1), end - i - (closing ? 2 : 1));
    const std::string name = tag.substr(0, tag.find_first_of(" \n/"));
    if (closing) {
      if (open.empty() || open.back() != name) return "</" + name + "> closes nothing";
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    i = end + 1;
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}
