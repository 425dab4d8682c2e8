#include <reconcilers/host/order.hpp>

#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>

using namespace holdfast;

namespace {

OrderNode node(const std::string& id, std::vector<std::string> after = {}, bool leaving = false) {
  OrderNode made{.id = primitive_id(id), .leaving = leaving};
  for (const std::string& one : after) made.after.push_back(primitive_id(one));
  return made;
}

std::vector<std::string> ordered(const std::vector<OrderNode>& nodes) {
  std::vector<std::string> names;
  for (const std::size_t i : order_of(nodes)) names.push_back(to_text(nodes[i].id));
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("order takes each primitive after what it needs", "[order]") {
  CHECK(ordered({node("unit:app.service", {"file:/etc/app"}), node("file:/etc/app", {"directory:/etc"}),
                 node("directory:/etc")}) == Names{"directory:/etc", "file:/etc/app", "unit:app.service"});
}

TEST_CASE("order breaks ties by type, then by the bundle's order", "[order]") {
  CHECK(ordered({node("unit:b.service"), node("unit:a.service"), node("file:/b"), node("file:/a"),
                 node("package:nginx"), node("user:app"), node("group:app")}) ==
        Names{"package:nginx", "group:app", "user:app", "file:/b", "file:/a", "unit:b.service", "unit:a.service"});
}

TEST_CASE("order lets an explicit need win over the type", "[order]") {
  CHECK(ordered({node("package:extra", {"file:/etc/apt/extra.list"}), node("file:/etc/apt/extra.list")}) ==
        Names{"file:/etc/apt/extra.list", "package:extra"});
}

TEST_CASE("order turns round what leaves: the unit stops, its file goes, its folder goes, its user goes", "[order]") {
  CHECK(ordered({node("user:app", {}, true), node("directory:/srv/app", {"user:app"}, true),
                 node("file:/srv/app/a", {"directory:/srv/app"}, true),
                 node("unit:app.service", {"file:/srv/app/a"}, true)}) ==
        Names{"unit:app.service", "file:/srv/app/a", "directory:/srv/app", "user:app"});
}

TEST_CASE("order reloads a unit that stays after the file under it that goes", "[order]") {
  CHECK(ordered({node("unit:nginx.service", {"link:/etc/nginx/sites-enabled/default"}),
                 node("link:/etc/nginx/sites-enabled/default", {}, true)}) ==
        Names{"link:/etc/nginx/sites-enabled/default", "unit:nginx.service"});
}

TEST_CASE("order changes a user before the group that it leaves is removed", "[order]") {
  CHECK(ordered({node("group:old", {}, true), node("user:app", {"group:old"})}) == Names{"user:app", "group:old"});
}

TEST_CASE("order gives way where a stop would make a circle", "[order]") {
  // X stops (so before the file that it uses), the site loads that file, and fronts X (so it changes before X stops).
  const Names names = ordered({node("unit:x.service", {"file:/etc/x"}, true), node("file:/etc/x"),
                               node("unit:nginx.service", {"file:/etc/x", "unit:x.service"})});
  CHECK(std::ranges::find(names, "file:/etc/x") < std::ranges::find(names, "unit:nginx.service"));
  CHECK(names.size() == 3);
}

TEST_CASE("order runs a command between what it works with and what starts after it, and undoes it before both",
          "[order]") {
  const auto nodes = [](bool undone) {
    return std::vector<OrderNode>{node("unit:app.service", {"command:migrate", "link:/srv/app"}),
                                  node("command:migrate", {"link:/srv/app"}, undone), node("link:/srv/app")};
  };
  CHECK(ordered(nodes(false)) == Names{"link:/srv/app", "command:migrate", "unit:app.service"});
  CHECK(ordered(nodes(true)) == Names{"command:migrate", "link:/srv/app", "unit:app.service"});
  CHECK(ordered({node("file:/etc/site"), node("command:certificate", {"directory:/etc/tls"}),
                 node("directory:/etc/tls")}) == Names{"directory:/etc/tls", "command:certificate", "file:/etc/site"});
  CHECK(ordered({node("link:/etc/default-site", {"command:certificate"}, true), node("file:/etc/a"),
                 node("command:certificate")}) ==
        Names{"command:certificate", "file:/etc/a", "link:/etc/default-site"});
  CHECK(ordered({node("command:convert"), node("unit:app.service", {"command:convert"}, true)}) ==
        Names{"unit:app.service", "command:convert"});
}

TEST_CASE("order names the primitives of a circle", "[order]") {
  CHECK_THROWS_WITH(ordered({node("file:/a", {"file:/b"}), node("file:/b", {"file:/a"})}),
                    Catch::Contains("circle") && Catch::Contains("file:/a") && Catch::Contains("file:/b"));
}

TEST_CASE("order holds its laws for random graphs", "[order][law]") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const std::size_t count = 1 + random() % 40;
    std::vector<OrderNode> nodes;
    for (std::size_t i = 0; i < count; ++i) {
      OrderNode one{.id = {static_cast<PrimitiveType>(random() % 8), "/" + std::to_string(i)}};
      for (std::size_t needed = 0; needed < i; ++needed) {
        if (random() % 8 == 0) one.after.push_back(nodes[needed].id);
      }
      nodes.push_back(std::move(one));
    }
    const std::vector<std::size_t> order = order_of(nodes);
    std::map<PrimitiveId, std::size_t> place;
    for (std::size_t i = 0; i < order.size(); ++i) place[nodes[order[i]].id] = i;
    REQUIRE(place.size() == count);
    for (const OrderNode& one : nodes) {
      for (const PrimitiveId& needed : one.after) REQUIRE(place.at(needed) < place.at(one.id));
    }
    CHECK(order_of(nodes) == order);
    for (OrderNode& one : nodes) one.leaving = true;
    const std::vector<std::size_t> leaving = order_of(nodes);
    for (std::size_t i = 0; i < leaving.size(); ++i) place[nodes[leaving[i]].id] = i;
    for (const OrderNode& one : nodes) {
      for (const PrimitiveId& needed : one.after) REQUIRE(place.at(one.id) < place.at(needed));
    }
  }
}
