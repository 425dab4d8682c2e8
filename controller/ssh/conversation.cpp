#include <controller/ssh/conversation.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t read_bytes = 64U << 10U;
constexpr std::size_t max_answer_frames = 1'000'000;
constexpr std::uint64_t max_answer_bytes = 256U << 20U;  // seen, not held: events go on as they come
constexpr std::size_t max_blob_bytes = 64U << 20U;       // held
constexpr std::size_t max_blobs = 20'000;
constexpr std::size_t max_request_bytes = 1U << 20U;  // a longer request travels as a blob
constexpr std::int64_t protocol_version = 1;

Hello hello_from(const Value& value) {
  if (value.at("protocol").as_int() != protocol_version) {
    throw Error("expected version " + std::to_string(protocol_version) + " of the runner protocol, found " +
                std::to_string(value.at("protocol").as_int()));
  }
  Hello hello{.version = value.text_or("version", ""),
              .hostname = value.text_or("hostname", ""),
              .machine_id = value.text_or("machine_id", ""),
              .boot_id = value.text_or("boot_id", ""),
              .epoch = value.int_or("epoch", 0)};
  if (const Value* features = value.find("features"); features != nullptr && features->is_list()) {
    for (const Value& feature : features->as_list()) {
      hello.watches = hello.watches || feature == Value("watch");
      hello.traces = hello.traces || feature == Value("traces");
    }
  }
  if (const Value* generation = value.find("generation")) {
    hello.generation_transaction = generation->text_or("transaction", "");
    hello.generation_bundle = generation->text_or("bundle_digest", "");
    hello.generation_commit = generation->text_or("commit", "");
  }
  if (const Value* open = value.find("open")) {
    hello.open_transaction = open->text_or("transaction", "");
    hello.open_state = open->text_or("state", "");
  }
  return hello;
}

/// A member that was too long for a frame came as a blob before: {"plan_blob": DIGEST} stands for {"plan": …}.
void put_blobs_in_place(Answer& answer) {
  constexpr std::string_view ending = "_blob";
  if (!answer.reply.is_map())
    throw Error("expected an object as the host's reply, found " + std::string(type_name(answer.reply.type())));
  Map& members = answer.reply.as_map();
  for (auto at = members.begin(); at != members.end();) {
    const std::string name = at->first;
    if (name.size() <= ending.size() || !name.ends_with(ending)) {
      ++at;
      continue;
    }
    const auto blob = answer.blobs.find(at->second.as_text());
    if (blob == answer.blobs.end()) throw Error("the host named a blob as its " + name + " that it did not send");
    Value whole = from_json(blob->second);
    answer.blobs.erase(blob);
    at = members.erase(at);
    members.insert_or_assign(name.substr(0, name.size() - ending.size()), std::move(whole));
  }
}

}  // namespace

struct Conversation::Incoming {
  Answer answer{};
  std::size_t frames = 0;
  std::uint64_t bytes = 0;
  std::size_t blob_bytes = 0;
  std::string digest{};  // of the blob whose pieces are coming
  std::string pieces{};
};

Value printable_value(const Value& value) {
  if (value.is_text()) return printable(value.as_text());
  if (value.is_list()) {
    List list;
    for (const Value& one : value.as_list()) list.push_back(printable_value(one));
    return list;
  }
  if (!value.is_map()) return value;
  Map map;
  for (const auto& [name, member] : value.as_map()) map.insert_or_assign(printable(name), printable_value(member));
  return map;
}

Answer Conversation::ask(const Map& request, const OnEvent& on_event, Deadline deadline) {
  if (broken_) throw Error("the conversation with the host's runner is broken: connect again");
  broken_ = true;
  const std::string text = to_json(request);
  if (text.size() > max_request_bytes) throw Error("request of " + std::to_string(text.size()) + " bytes is too large");
  stream_->write(encode_frame('J', text), deadline);
  Answer answer = receive(on_event, deadline);
  broken_ = false;
  return answer;
}

void Conversation::send_blob(std::string_view digest, std::string_view bytes, Deadline deadline) {
  if (broken_) throw Error("the conversation with the host's runner is broken: connect again");
  broken_ = true;
  do {
    const std::string_view piece = bytes.substr(0, max_piece_bytes);
    bytes.remove_prefix(piece.size());
    std::string payload(digest);
    payload += bytes.empty() ? '.' : '+';
    payload += piece;
    stream_->write(encode_frame('B', payload), deadline);
  } while (!bytes.empty());
  broken_ = false;
}

void Conversation::hear() {
  if (broken_) return;
  try {
    frames_.add(stream_->take(read_bytes));
    for (Frame frame; frames_.next(frame);) {
      const Value message = frame.type == 'J' ? from_json(frame.payload) : Value();
      const Value* changed = message.find("changed");
      if (changed == nullptr || !hello_) throw Error("the host sent what it was not asked for");
      changed_ = printable_value(*changed);
    }
  } catch (const Error&) {
    broken_ = true;
  }
}

Answer Conversation::receive(const OnEvent& on_event, Deadline deadline) {
  Incoming incoming;
  for (;;) {
    const Frame frame = next_frame(incoming, deadline);
    if (frame.type == 'B') {
      take_piece(frame, incoming);
    } else if (take_message(frame, incoming, on_event)) {
      return std::move(incoming.answer);
    }
  }
}

Frame Conversation::next_frame(Incoming& incoming, Deadline deadline) {
  Frame frame;
  while (!frames_.next(frame)) {
    const std::string bytes = stream_->read(read_bytes, deadline);
    if (bytes.empty()) {
      const std::string errors = printable(stream_->errors());
      throw Error("the host's runner ended before it answered" + (errors.empty() ? "" : ": " + errors));
    }
    frames_.add(bytes);
  }
  incoming.bytes += frame.payload.size();
  if (++incoming.frames > max_answer_frames || incoming.bytes > max_answer_bytes) {
    throw Error("the host's answer has no end: more than " + std::to_string(incoming.frames - 1) + " frames");
  }
  return frame;
}

void Conversation::take_piece(const Frame& frame, Incoming& incoming) {
  const BlobPiece piece = blob_piece(frame.payload);
  if (!incoming.digest.empty() && incoming.digest != piece.digest) throw Error("the host began a blob within another");
  incoming.digest = std::string(piece.digest);
  incoming.blob_bytes += piece.bytes.size();
  if (incoming.blob_bytes > max_blob_bytes || incoming.answer.blobs.size() >= max_blobs) {
    throw Error("the host's answer brings more than " + std::to_string(max_blob_bytes) + " bytes of content");
  }
  incoming.pieces += piece.bytes;
  if (!piece.last) return;
  if (sha256(incoming.pieces) != incoming.digest) throw Error("the host sent a blob that does not have its digest");
  incoming.answer.blobs.insert_or_assign(std::exchange(incoming.digest, {}), std::exchange(incoming.pieces, {}));
}

/// True when the message ends the answer.
bool Conversation::take_message(const Frame& frame, Incoming& incoming, const OnEvent& on_event) {
  const Value message = from_json(frame.payload);
  if (!hello_) {
    const Value* hello = message.find("hello");
    if (hello == nullptr) throw Error("expected the runner's hello, found another message");
    hello_ = hello_from(printable_value(*hello));
    return false;
  }
  if (const Value* changed = message.find("changed")) {  // it was noticed before our request arrived
    changed_ = printable_value(*changed);
    return false;
  }
  if (const Value* event = message.find("event")) {
    if (on_event) on_event(printable_value(*event));
    return false;
  }
  if (const Value* error = message.find("error")) {
    incoming.answer.error = error->as_text().empty() ? "no reason given" : printable(error->as_text());
    return true;
  }
  if (const Value* reply = message.find("reply")) {
    incoming.answer.reply = *reply;
    put_blobs_in_place(incoming.answer);
    return true;
  }
  throw Error("expected an event, a reply or an error from the host, found another message");
}

}  // namespace holdfast
