// One connection through Apache's C++ library, unmodified, and the generated clients on it.
#pragma once

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/protocol/THeaderProtocol.h>
#include <thrift/protocol/TMultiplexedProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TSSLSocket.h>
#include <thrift/transport/TSocket.h>

#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "gen/Conformance.h"
#include "gen/ConformanceOther.h"

namespace tp = apache::thrift::protocol;
namespace tt = apache::thrift::transport;

struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Caller {
 public:
  explicit Caller(std::map<std::string, std::string> arguments) : arguments_(std::move(arguments)) { connect(); }

  std::unique_ptr<conformance::ConformanceClient> service;
  std::unique_ptr<conformance::ConformanceOtherClient> other;

  void connect() {
    if (transport_) transport_->close();
    std::vector<std::string> words;
    std::istringstream encoding(arguments_["--encoding"]);
    for (std::string word; std::getline(encoding, word, '-');) words.push_back(word);
    layer(socket(), words);
    auto protocol = protocol_;
    if (words.back() == "multiplexed") protocol = std::make_shared<tp::TMultiplexedProtocol>(protocol_, "Conformance");
    service = std::make_unique<conformance::ConformanceClient>(protocol_, protocol);
    other = std::make_unique<conformance::ConformanceOtherClient>(protocol_, protocol);
    transport_->open();
  }

  template <typename T>
  static T decode(const std::string& content) {
    auto memory = std::make_shared<tt::TMemoryBuffer>();
    memory->write(reinterpret_cast<const uint8_t*>(content.data()), static_cast<uint32_t>(content.size()));
    tp::TBinaryProtocol protocol(memory);
    T value;
    value.read(&protocol);
    return value;
  }

  // The library sends 0 and does not look: here it is done by hand.
  void sequenceIds() {
    for (int32_t id : {0, 1, 77, INT32_MAX, -1, INT32_MIN}) {
      protocol_->writeMessageBegin("Ping", tp::T_CALL, id);
      conformance::ConformanceBase_Ping_pargs().write(protocol_.get());
      protocol_->writeMessageEnd();
      protocol_->getTransport()->writeEnd();
      protocol_->getTransport()->flush();
      std::string name;
      tp::TMessageType kind;
      int32_t got;
      protocol_->readMessageBegin(name, kind, got);
      conformance::ConformanceBase_Ping_presult().read(protocol_.get());
      protocol_->readMessageEnd();
      protocol_->getTransport()->readEnd();
      if (name != "Ping" || kind != tp::T_REPLY || got != id) {
        throw std::runtime_error("a reply " + name + " " + std::to_string(kind) + " " + std::to_string(got) + " to " +
                                 std::to_string(id));
      }
    }
  }

 private:
  std::map<std::string, std::string> arguments_;
  std::shared_ptr<tt::TTransport> transport_;
  std::shared_ptr<tp::TProtocol> protocol_;

  std::shared_ptr<tt::TTransport> socket() {
    const int timeoutMs = 10000;
    const std::string& server = arguments_["--server"];
    const size_t colon = server.rfind(':');
    const std::string host = server.substr(0, colon);
    const int port = std::stoi(server.substr(colon + 1));
    std::shared_ptr<tt::TSocket> socket;
    if (arguments_.count("--tls-ca")) {
      tt::TSSLSocketFactory factory;
      factory.loadTrustedCertificates(arguments_["--tls-ca"].c_str());
      factory.authenticate(true);
      socket = factory.createSocket(host, port);
    } else {
      socket = std::make_shared<tt::TSocket>(host, port);
    }
    socket->setConnTimeout(timeoutMs);
    socket->setRecvTimeout(timeoutMs);
    socket->setSendTimeout(timeoutMs);
    return socket;
  }

  void layer(std::shared_ptr<tt::TTransport> socket, const std::vector<std::string>& words) {
    const Unsupported no("the C++ library does not speak " + arguments_["--encoding"]);
    if (words[0] == "theader") {
      transport_ = std::make_shared<tt::TBufferedTransport>(socket);
      auto id = words[1] == "compact" ? tp::T_COMPACT_PROTOCOL : tp::T_BINARY_PROTOCOL;
      protocol_ = std::make_shared<tp::THeaderProtocol>(transport_, id);
      // It inflates into a buffer of the frame's size, whatever comes out: it crashes at some later time.
      if (words.size() > 2) throw Unsupported("the C++ library writes behind its buffer when a zlib frame inflates");
      return;
    }
    if (words[0] == "framed") {
      transport_ = std::make_shared<tt::TFramedTransport>(socket);
    } else if (words[0] == "unframed") {
      transport_ = std::make_shared<tt::TBufferedTransport>(socket);
    } else {
      throw no;
    }
    if (words[1] == "binary") {
      protocol_ = std::make_shared<tp::TBinaryProtocol>(transport_);
    } else if (words[1] == "nonstrict") {
      protocol_ = std::make_shared<tp::TBinaryProtocol>(transport_, 0, 0, false, false);
    } else if (words[1] == "compact") {
      protocol_ = std::make_shared<tp::TCompactProtocol>(transport_);
    } else {
      throw no;
    }
  }
};
