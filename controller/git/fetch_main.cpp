// holdfast-fetch: the fetch child with only the libraries that it needs. Loading all of the controller's takes longer
// than most fetches.
#include <controller/git/mirror.hpp>

int main() { return holdfast::fetch_child(); }
