/*
 * Ports of which a test has the other end: a test includes this, and then the driver's source. It
 * defines fake_inb, fake_inl, fake_outw and fake_outl as far as the driver uses them.
 */
#pragma once
#include "kernel_lib/io/ports.h"

#define inb fake_inb
#define inl fake_inl
#define outw fake_outw
#define outl fake_outl
