#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast {

/// The head and the tail of a stream that may be endless: at most `limit` bytes, half of them of each end.
class BoundedText {
 public:
  explicit BoundedText(std::size_t limit) : half_(limit / 2) {}

  void add(std::string_view bytes) {
    const std::size_t to_head = std::min(half_ - head_.size(), bytes.size());
    head_.append(bytes.substr(0, to_head));
    bytes.remove_prefix(to_head);
    tail_.append(bytes);
    if (tail_.size() > 2 * half_) cut(half_);
  }

  /// What was kept, with a line that counts what was not.
  std::string text() {
    cut(half_);
    if (lost_ == 0) return head_ + tail_;
    return head_ + "\n[… " + std::to_string(lost_) + " bytes left out …]\n" + tail_;
  }

 private:
  void cut(std::size_t keep) {
    if (tail_.size() <= keep) return;
    lost_ += tail_.size() - keep;
    tail_.erase(0, tail_.size() - keep);
  }

  std::size_t half_;
  std::size_t lost_ = 0;
  std::string head_;
  std::string tail_;
};

}  // namespace holdfast
