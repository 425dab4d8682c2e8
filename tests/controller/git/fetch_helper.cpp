// The fetch child as a program of its own: what `holdfast fetch-child` is in the real one.
#include <controller/git/mirror.hpp>

int main() { return holdfast::fetch_child(); }
