/* The version, which CHANGELOG.md describes. The launcher reads it from this line. */
#pragma once

#define BAREFLOW_VERSION "0.2.0"
