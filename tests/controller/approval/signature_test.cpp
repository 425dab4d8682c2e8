#include "keys.hpp"

#include <manifests/error.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

const std::string payload = "object x\ntag y\n\nwhat is signed\n";

SignedBy signer_of(const std::string& signature, const std::vector<Signatory>& signers,
                   const std::string& bytes = payload) {
  return find_signer({bytes, signature}, signers);
}

}  // namespace

TEST_CASE("an SSH signature is its signer's, of these bytes, for git", "[approval][signature]") {
  const SshKey ada;
  const SshKey bob("ecdsa");
  const SshKey eve;
  const std::vector<Signatory> both = {ada.signer("Ada"), bob.signer("Bob")};
  CHECK(signer_of(ada.sign(payload), both).name == "Ada");
  CHECK(signer_of(bob.sign(payload), both).name == "Bob");
  CHECK(signer_of(eve.sign(payload), both).name.empty());
  CHECK(signer_of(ada.sign(payload), {bob.signer("Bob")}).name.empty());
  CHECK(signer_of(ada.sign(payload), both, payload + "x").name.empty());
  CHECK(signer_of(ada.sign(payload, "file"), both).name.empty());
  CHECK(signer_of("", both).why == "it is not signed");
  CHECK(signer_of("-----BEGIN SSH SIGNATURE-----\nAAAA\n", both).name.empty());
  CHECK(signer_of("-----BEGIN SSH SIGNATURE-----\n" + std::string(100'000, 'A'), both).why.find("64 KiB") !=
        std::string::npos);
  CHECK(signer_of("-----BEGIN SIGNED MESSAGE-----\n", both).why.find("neither") != std::string::npos);
}

TEST_CASE("an OpenPGP signature is its signer's, of these bytes, by a key that has not expired",
          "[approval][signature]") {
  const OpenPgpKey ada("ada@example.com");
  const OpenPgpKey late("late@example.com", "20200201T000000");
  const std::vector<Signatory> both = {ada.signer("Ada"), late.signer("Late")};
  const std::string signature = ada.sign(payload);
  CHECK(signer_of(signature, both).name == "Ada");
  CHECK(signer_of(signature, {late.signer("Late")}).name.empty());
  CHECK(signer_of(signature, both, payload + "x").name.empty());
  CHECK(signer_of(signature + signature, both).name.empty());
  CHECK(signer_of(late.sign(payload, {"--faked-system-time", "20200102T000000!"}), both).name.empty());
  CHECK(signer_of(signature, {{.name = "Ada", .openpgp = {"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END"}}})
            .name.empty());
  CHECK(signer_of(signature, {{.name = "Ada", .openpgp = {"?"}}}).why.find("no armored") != std::string::npos);
}

TEST_CASE("what was found is remembered for the same bytes and the same keys only", "[approval][signature]") {
  const SshKey ada;
  SignatureCache cache;
  const SignedBytes bytes{payload, ada.sign(payload)};
  CHECK(cache.find(bytes, {}).name.empty());
  CHECK(cache.find(bytes, {ada.signer("Ada")}).name == "Ada");
  CHECK(cache.find(bytes, {ada.signer("Ada")}).name == "Ada");
  CHECK(cache.find({payload + "x", bytes.signature}, {ada.signer("Ada")}).name.empty());
  CHECK(cache.find(bytes, {}).name.empty());
}
