// The kernels by name, each with its struct of arguments.
#pragma once

using Kernel = void (*)(const void* arguments);

// The kernel of that name, or null.
Kernel kernel_named(const char* name);
