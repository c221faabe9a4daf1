// What Debian 12's libstdc++.a asks of the C library and glibc 2.28 does not have.
// Hidden, so that a newer C library keeps its own.

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))

// Since glibc 2.32: whether atomic operations may be left out. Never here.
HIDDEN char __libc_single_threaded = 0;

// Since glibc 2.36: 32 random bits from the kernel.
HIDDEN uint32_t arc4random(void)
{
	uint32_t bits;
	long n;
	do
		n = syscall(SYS_getrandom, &bits, sizeof bits, 0);
	while (n == -1 && errno == EINTR);
	if (n != sizeof bits)
		abort();
	return bits;
}
