#pragma once
#include <string>

namespace binding {

/// Gives up what a process that scores text never needs. From then on, in every thread, whatever is not on a short
/// list of system calls fails with EPERM: no file is opened, no socket made, no program started. Can't be undone.
/// Empty on success, else why it is not possible here.
std::string confine();

}  // namespace binding
