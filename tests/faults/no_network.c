/* no_network.c - a system without a network, for whole processes (LD_PRELOAD).
 *
 * Who asks for one leaves a mark: the file that RD_TEST_MARK names.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((visibility("default"))) int socket(int domain, int type, int protocol)
{
    const char *path = getenv("RD_TEST_MARK");
    if (domain != AF_INET && domain != AF_INET6)
        return (int)syscall(SYS_socket, domain, type, protocol);
    const int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) close(fd);
    errno = EACCES;
    return -1;
}
