#pragma once

#include <manifests/error.hpp>

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <string>

namespace holdfast {

// curl's handles as owners, for the files that use curl: http_client.cpp here and notify/smtp.cpp.

template <auto Release>
struct CurlReleaser {
  template <typename Handle>
  void operator()(Handle* handle) const {
    Release(handle);
  }
};
using CurlEasy = std::unique_ptr<CURL, CurlReleaser<curl_easy_cleanup>>;
using CurlMulti = std::unique_ptr<CURLM, CurlReleaser<curl_multi_cleanup>>;
using CurlUrl = std::unique_ptr<CURLU, CurlReleaser<curl_url_cleanup>>;
using CurlStrings = std::unique_ptr<curl_slist, CurlReleaser<curl_slist_free_all>>;
using CurlText = std::unique_ptr<char, CurlReleaser<curl_free>>;

/// Before the first handle, from any thread.
inline void start_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

inline void curl_add(CurlStrings& list, const std::string& text) {
  curl_slist* longer = curl_slist_append(list.get(), text.c_str());
  if (longer == nullptr) throw Error("out of memory");
  static_cast<void>(list.release());
  list.reset(longer);
}

template <typename Argument>
void curl_set(CURL* easy, CURLoption option, Argument argument) {
  const CURLcode code = curl_easy_setopt(easy, option, argument);
  if (code != CURLE_OK) throw Error(std::string("cannot set up the request: ") + curl_easy_strerror(code));
}

}  // namespace holdfast
