/* The console of host tests: what the code under test prints ends up here. */
#pragma once

extern char console[4000]; /* a string; a test empties it */
