#include <controller/gates/certificate.hpp>

#include <manifests/error.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <memory>

namespace holdfast {

namespace {

struct Release {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

std::int64_t not_after_s(const X509& certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) {
    throw Error("the certificate does not say when it expires");
  }
  return ::timegm(&parts);
}

}  // namespace

std::int64_t certificate_expires_s(const std::string& pem) {
  ERR_clear_error();
  const std::unique_ptr<BIO, Release> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) throw Error("out of memory");
  bool any = false;
  std::int64_t first_s = 0;
  for (;;) {
    const std::unique_ptr<X509, Release> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    const std::int64_t expires_s = not_after_s(*certificate);
    first_s = any ? std::min(first_s, expires_s) : expires_s;
    any = true;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!any || !at_end) throw Error("expected certificates in PEM form, found something else");
  return first_s;
}

}  // namespace holdfast
