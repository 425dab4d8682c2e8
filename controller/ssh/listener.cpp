#include <controller/ssh/listener.hpp>

#include <manifests/error.hpp>

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace holdfast {

Listener::Listener() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw Error(std::string("cannot listen to hosts: ") + std::strerror(errno));
}

void Listener::add(const std::string& name, int fd) {
  if (fd < 0) return;
  remove(name, fd);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.u64 = next_;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return;  // it is looked at in its turns all the same
  names_[next_] = name;
  numbers_[name] = next_++;
}

void Listener::remove(const std::string& name, int fd) {
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) return;
  names_.erase(found->second);
  numbers_.erase(found);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::vector<std::uint64_t> Listener::wait(int ms) const {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), ms);
  std::vector<std::uint64_t> ready;
  for (int i = 0; i < count; ++i) ready.push_back(events[static_cast<std::size_t>(i)].data.u64);
  return ready;
}

std::vector<std::string> Listener::names(const std::vector<std::uint64_t>& ready) const {
  std::vector<std::string> names;
  for (const std::uint64_t number : ready) {
    if (const auto found = names_.find(number); found != names_.end()) names.push_back(found->second);
  }
  return names;
}

}  // namespace holdfast
