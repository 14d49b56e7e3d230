#pragma once
#include <string>

/// The library of the device that tests run on: GUARD_TEST_DEVICE, or the emulated one beside this program.
std::string device_library();
/// Whether that is the emulator.
bool device_is_emulated();
