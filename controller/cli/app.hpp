#pragma once

namespace holdfast {

/// The command line of `holdfast`: parses, opens what the command needs, runs it, and returns its exit code. The one
/// place where an Error becomes a message.
int run_app(int argc, char** argv);

}  // namespace holdfast
