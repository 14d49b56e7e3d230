#pragma once

/// `guard-test make-model SHAPE FILE`: a Llama of that shape with random weights in Q8_0.
int make_model(const char* shape, const char* file);
/// `guard-test measure SHAPE FILE [--dry]`: scores on the device of device_library(); prints rows of Markdown.
int measure_device(const char* shape, const char* file, bool dry);
